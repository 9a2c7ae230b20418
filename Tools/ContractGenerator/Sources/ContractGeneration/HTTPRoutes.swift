internal import SwiftProtobuf
internal import SwiftProtobufPluginLibrary

/// The places where a method is offered as JSON, read from `option (google.api.http)`.
struct HTTPRoutes {
    struct Route: Equatable {
        let method: String
        let path: String
        let body: String
    }

    let routes: [Route]

    /// The number of `google.api.http`, and of the fields of google.api.HttpRule.
    private enum Field {
        static let http = 72_295_728
        static let verbs: [(number: Int, method: String)] = [
            (2, "GET"), (3, "PUT"), (4, "POST"), (5, "DELETE"), (6, "PATCH"),
        ]
        static let body = 7
        static let custom = 8
        static let additionalBindings = 11
    }

    init(of method: MethodDescriptor) throws(ContractFault) {
        guard let rule = OptionBytes(method.options.unknownFields.data)?.message(Field.http) else {
            routes = []
            return
        }
        guard !method.clientStreaming else {
            throw ContractFault("\(method.fullName) takes a stream, which JSON over HTTP/1.1 cannot carry: drop its route.")
        }
        routes = try Self.routes(rule, method: method)
    }

    private static func routes(_ bytes: [UInt8], method: MethodDescriptor) throws(ContractFault) -> [Route] {
        guard let rule = OptionBytes(bytes) else {
            throw ContractFault("\(method.fullName) has a google.api.http option that cannot be read.")
        }
        var routes: [Route] = []
        let body = rule.string(Field.body) ?? ""
        for verb in Field.verbs {
            if let path = rule.string(verb.number) { routes.append(Route(method: verb.method, path: path, body: body)) }
        }
        if let custom = rule.message(Field.custom).flatMap(OptionBytes.init),
            let verb = custom.string(1), let path = custom.string(2)
        {
            routes.append(Route(method: verb, path: path, body: body))
        }
        for binding in rule.messages(Field.additionalBindings) {
            routes += try Self.routes(binding, method: method)
        }
        for route in routes { try check(route, method: method) }
        return routes
    }

    /// A path variable and a body name fields of the request; a misspelt one would only be met by a caller.
    private static func check(_ route: Route, method: MethodDescriptor) throws(ContractFault) {
        let fields = Set(method.inputType.fields.map(\.name))
        for piece in route.path.split(separator: "{").dropFirst() {
            let name = String(piece.prefix { $0 != "}" && $0 != "=" && $0 != "." })
            guard fields.contains(name) else {
                throw ContractFault("\(method.fullName): its path \(route.path) names \(name), which the request has not.")
            }
        }
        guard route.body.isEmpty || route.body == "*" || fields.contains(route.body) else {
            throw ContractFault("\(method.fullName): its body is \(route.body), which the request has not.")
        }
    }
}
