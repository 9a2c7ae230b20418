import Contracts
@testable import Gateway
import RPC
import Testing

@Suite struct `The route table` {
    private let table = RouteTable(
        ContractRegistry.methods.map { method in Endpoint(method) { request, _ in request } })

    @Test(arguments: [
        ("POST", "/v1/users", "Register"),
        ("POST", "/v1/sessions:refresh", "RefreshToken"),
        ("GET", "/v1/observations", "ListObservations"),
        ("GET", "/v1/observations:latest", "GetLatestObservations"),
        ("POST", "/v1/collections/medical/documents:search", "Search"),
        ("POST", "/v1/collections/medical/documents", "UpsertDocuments"),
        ("GET", "/v1/overview", "GetPatientOverview"),
    ])
    func `finds the method of a request`(method: String, path: String, name: String) {
        guard case .found(let match) = table.find(method: method, path: path) else {
            Issue.record("no route for \(method) \(path)")
            return
        }
        #expect(match.endpoint.descriptor.name == name)
    }

    @Test func `decodes the variables of the path`() {
        guard case .found(let match) = table.find(method: "GET", path: "/v1/chats/a%2Fb%20c/messages") else {
            Issue.record("no route")
            return
        }
        #expect(match.variables.map(\.field) == ["session_id"])
        #expect(match.variables.map(\.value) == ["a/b c"])
    }

    @Test func `names the methods that a path does answer`() {
        guard case .otherMethods(let methods) = table.find(method: "DELETE", path: "/v1/chats") else {
            Issue.record("the path is known")
            return
        }
        #expect(methods == ["GET", "POST"])
    }

    @Test(arguments: ["/", "/v1", "/v1/users/", "/v2/users", "/v1/chats//messages", "/v1/users%", "/v1/users/%zz", "/v1/users/%", "//"])
    func `knows nothing of other paths`(path: String) {
        guard case .notFound = table.find(method: "GET", path: path) else {
            Issue.record("\(path) was found")
            return
        }
    }
}
