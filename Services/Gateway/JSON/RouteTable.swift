import Contracts
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

        /// The message of what the path says alone, which is known before anybody is let in; `nil` for a path that says nothing.
        var named: [UInt8]? {
            guard !variables.isEmpty else { return nil }
            // Whoever is let in hears what cannot be read of it.
            return try? endpoint.method.request(json: [], parameters: variables.map { (field: $0.field, values: [$0.value]) })
        }
    }

    enum Result: Sendable {
        case found(Match)
        /// The path is known, but only with these HTTP methods.
        case otherMethods([String])
        case notFound
    }

    /// What paths that begin alike go on with.
    private struct Node: Sendable {
        var literals: [String: Int] = [:]
        var variable: Int?
        /// What answers the paths that end here, by their HTTP methods.
        var ends: [String: End] = [:]
    }

    private struct End: Sendable {
        let endpoint: Endpoint
        let route: HTTPRoute
        let fields: [String]
    }

    private var nodes = [Node()]

    init(_ endpoints: [Endpoint]) {
        // JSON over HTTP/1.1 carries one request and one answer.
        for endpoint in endpoints where endpoint.answer != nil {
            for route in endpoint.descriptor.routes { add(route, of: endpoint) }
        }
    }

    private mutating func add(_ route: HTTPRoute, of endpoint: Endpoint) {
        var place = 0
        var fields: [String] = []
        for part in Self.split(route.path) {
            let next: Int?
            if part.hasPrefix("{") && part.hasSuffix("}") {
                fields.append(String(part.dropFirst().dropLast()))
                next = nodes[place].variable
                nodes[place].variable = next ?? nodes.count
            } else {
                next = nodes[place].literals[String(part)]
                nodes[place].literals[String(part)] = next ?? nodes.count
            }
            if next == nil { nodes.append(Node()) }
            place = next ?? nodes.count - 1
        }
        nodes[place].ends[route.method] = End(endpoint: endpoint, route: route, fields: fields)
    }

    /// Finds the route of a request; a literal segment comes before a variable. The path is as the client sent it, percent-encoded, without its query.
    func find(method: String, path: String) -> Result {
        var parts: [String] = []
        for part in Self.split(path) {
            guard let part = part.contains("%") ? part.removingPercentEncoding : String(part) else { return .notFound }
            parts.append(part)
        }
        var others: Set<String> = []
        if let match = find(method, parts[...], at: 0, behind: [], &others) { return .found(match) }
        return others.isEmpty ? .notFound : .otherMethods(others.sorted())
    }

    private func find(
        _ method: String, _ parts: ArraySlice<String>, at place: Int, behind values: [String], _ others: inout Set<String>
    ) -> Match? {
        guard let part = parts.first else {
            guard let end = nodes[place].ends[method] else {
                others.formUnion(nodes[place].ends.keys)
                return nil
            }
            return Match(endpoint: end.endpoint, route: end.route, variables: zip(end.fields, values).map { ($0, $1) })
        }
        if let next = nodes[place].literals[part],
            let match = find(method, parts.dropFirst(), at: next, behind: values, &others)
        {
            return match
        }
        guard let next = nodes[place].variable, !part.isEmpty else { return nil }
        return find(method, parts.dropFirst(), at: next, behind: values + [part], &others)
    }

    private static func split(_ path: String) -> ArraySlice<Substring> {
        path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    }
}
