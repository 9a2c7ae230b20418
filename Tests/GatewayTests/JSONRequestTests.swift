import Contracts
import RPC
import Testing

@testable import Gateway

@Suite struct `A request in JSON` {
    private let table = RouteTable(
        ContractRegistry.methods.map { method in Endpoint(method) { request, _ in request } })

    private func asking(_ path: String, query: String) throws -> JSONRequest {
        guard case .found(let match) = table.find(method: "GET", path: path) else {
            throw RPCError(.notFound, "There is no route for \(path).")
        }
        return JSONRequest(match: match, query: query, body: [])
    }

    /// Each compared with each would be two hundred million comparisons.
    @Test func `is refused with twenty thousand parameters that nobody knows`() throws {
        let names = (0..<20_000).map { String($0, radix: 36) }
        let request = try asking("/v1/observations", query: names.joined(separator: "&"))

        let error = #expect(throws: RPCError.self) { try request.bytes }

        #expect(error?.code == .invalidArgument)
    }

    @Test(arguments: ["code=%FF", "code=8867-4%C3", "%FF=1", "code=%zz", "code=8867%2"])
    func `is refused where its query is no UTF-8 or badly escaped, and never read without the parameter`(query: String) throws {
        let request = try asking("/v1/observations", query: query)

        let error = #expect(throws: RPCError.self) { try request.bytes }

        #expect(error?.code == .invalidArgument)
    }

    @Test func `is refused with a field under both its names, as in a body`() throws {
        let request = try asking("/v1/observations", query: "page_size=7&pageSize=8")

        let error = #expect(throws: RPCError.self) { try request.bytes }

        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("page_size") == true)
    }

    @Test func `has its parameters decoded`() throws {
        let request = try asking("/v1/observations", query: "code=8867%2D4&time_zone=Europe%2FBerlin&page_size=7&unit")

        let message = try VitalsV1.ListObservationsRequest(decoding: request.bytes)

        #expect(message.code == "8867-4" && message.timeZone == "Europe/Berlin" && message.pageSize == 7 && message.unit.isEmpty)
    }

    /// A browser's `fetch` leaves `|`, `^`, `{` and `[` as they are.
    @Test func `means the same by what is escaped, whatever stands beside it unescaped`() throws {
        let request = try asking("/v1/observations", query: "code=8867%2D4&&unit={beats}|[min]^=%7C")

        let message = try VitalsV1.ListObservationsRequest(decoding: request.bytes)

        #expect(message.code == "8867-4" && message.unit == "{beats}|[min]^=|")
    }

    /// As `URLSearchParams` of a browser writes it.
    @Test func `has spaces where its query has a plus, and a plus where that is escaped`() throws {
        let request = try asking("/v1/observations", query: "code=a+b%2Bc")

        #expect(try VitalsV1.ListObservationsRequest(decoding: request.bytes).code == "a b+c")
    }

    @Test func `is INTERNAL where its service's answer cannot be read`() throws {
        guard case .found(let match) = table.find(method: "GET", path: "/v1/observations") else { throw RPCError(.notFound, "There is no route.") }

        let error = #expect(throws: RPCError.self) { try match.endpoint.method.responseJSON([0xFF]) }

        #expect(error?.code == .internalError)
    }
}
