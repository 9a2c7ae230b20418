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
        let unreadable = RPCError(.invalidArgument, "The query cannot be read.")
        var parameters: [(field: String, values: [String])] = []
        // Looked up, not searched: a query of 80 KB has 20,000 names, and nobody knows yet whose it is.
        var places: [String: Int] = [:]
        // Not by URLComponents: one character that had to be escaped and is not, as browsers leave `|`, makes it escape what is escaped already, and a value another.
        for item in query.split(separator: "&") {
            let halves = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let name = Self.decoded(halves[0]), let value = Self.decoded(halves.count > 1 ? halves[1] : "") else { throw unreadable }
            // `pageSize` and `page_size` are one.
            let field = name.map { $0.isUppercase ? "_" + $0.lowercased() : String($0) }.joined()
            if let place = places[field] {
                parameters[place].values.append(value)
            } else {
                places[field] = parameters.count
                parameters.append((name, [value]))
            }
        }
        return parameters
    }

    /// Browsers write a space as `+` and a plus as `%2B` (URL Standard, section 5, application/x-www-form-urlencoded).
    private static func decoded(_ text: String) -> String? {
        (text.utf8.contains(UInt8(ascii: "+")) ? text.replacing("+", with: " ") : text).removingPercentEncoding
    }
}
