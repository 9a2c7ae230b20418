import Contracts
import Foundation
import RPC

/// The message of an HTTP request, put together from its body, its path and its query as google.api.http says:
/// with `body: "*"` everything but the path's fields comes from the body, without a body all else from the query.
struct JSONRequest: Sendable {
    let match: RouteTable.Match
    let query: String?
    let body: [UInt8]

    /// The serialized message. Throws INVALID_ARGUMENT that names the field.
    var bytes: [UInt8] {
        get throws(RPCError) {
            var parameters = try queryParameters()
            for variable in match.variables {
                parameters.removeAll { $0.field == variable.field }
                parameters.append((variable.field, [variable.value]))
            }
            guard match.route.body == "*" || body.isEmpty else {
                throw RPCError(.invalidArgument, "A \(match.route.method) of this path has no body.")
            }
            do throws(JSONMappingError) {
                return try match.endpoint.method.request(json: body, parameters: parameters)
            } catch {
                throw RPCError.invalid([(error.path, error.reason)])
            }
        }
    }

    private func queryParameters() throws(RPCError) -> [(field: String, values: [String])] {
        guard let query, !query.isEmpty else { return [] }
        guard match.route.body.isEmpty else {
            throw RPCError(.invalidArgument, "A \(match.route.method) of this path has no query; its fields are in the body.")
        }
        guard let items = URLComponents(string: "?" + query)?.queryItems else {
            throw RPCError(.invalidArgument, "The query cannot be read.")
        }
        var parameters: [(field: String, values: [String])] = []
        for item in items {
            let value = item.value ?? ""
            if let index = parameters.firstIndex(where: { $0.field == item.name }) {
                parameters[index].values.append(value)
            } else {
                parameters.append((item.name, [value]))
            }
        }
        return parameters
    }
}
