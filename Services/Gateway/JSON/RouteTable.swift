import Foundation
import RPC

/// Which endpoint answers an HTTP method and path, by the contracts' google.api.http options.
///
/// Of that option's templates it knows what the contracts use: literal segments, one-segment variables, and a verb
/// behind a colon at the end, as in `/v1/collections/{collection}/documents:search`.
struct RouteTable: Sendable {
    struct Match: Sendable {
        let endpoint: Endpoint
        let route: HTTPRoute
        /// The fields that the path sets, by their names in the contract.
        let variables: [(field: String, value: String)]
    }

    enum Result: Sendable {
        case found(Match)
        /// The path is known, but only with these HTTP methods.
        case otherMethods([String])
        case notFound
    }

    private enum Segment: Sendable, Equatable {
        case literal(String)
        case variable(String)
    }

    private struct Row: Sendable {
        let endpoint: Endpoint
        let route: HTTPRoute
        let segments: [Segment]
    }

    private var rowsByLength: [Int: [Row]] = [:]

    init(_ endpoints: [Endpoint]) {
        // JSON over HTTP/1.1 carries one request and one answer.
        for endpoint in endpoints where endpoint.answer != nil {
            for route in endpoint.descriptor.routes {
                let segments = Self.split(route.path).map { part -> Segment in
                    part.hasPrefix("{") && part.hasSuffix("}")
                        ? .variable(String(part.dropFirst().dropLast())) : .literal(String(part))
                }
                rowsByLength[segments.count, default: []].append(
                    Row(endpoint: endpoint, route: route, segments: segments))
            }
        }
    }

    /// Finds the route of a request. The path is as the client sent it, percent-encoded, without its query.
    func find(method: String, path: String) -> Result {
        var others: Set<String> = []
        let parts = Self.split(path).compactMap { String($0).removingPercentEncoding }
        for row in rowsByLength[parts.count] ?? [] {
            guard let variables = Self.match(row.segments, parts) else { continue }
            if row.route.method == method {
                return .found(Match(endpoint: row.endpoint, route: row.route, variables: variables))
            }
            others.insert(row.route.method)
        }
        return others.isEmpty ? .notFound : .otherMethods(others.sorted())
    }

    private static func split(_ path: String) -> [Substring] {
        path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map { $0 }
    }

    private static func match(_ segments: [Segment], _ parts: [String]) -> [(field: String, value: String)]? {
        var variables: [(field: String, value: String)] = []
        for (segment, part) in zip(segments, parts) {
            switch segment {
            case .literal(let literal): guard literal == part else { return nil }
            case .variable(let name):
                guard !part.isEmpty else { return nil }
                variables.append((name, part))
            }
        }
        return variables
    }
}
