/// Which side of a call sends one message and which a stream of them.
package enum CallKind: Sendable, Hashable {
    case unary
    case clientStreaming
    case serverStreaming
    case bidirectional

    /// Whether the caller sends exactly one message.
    package var hasSingleRequest: Bool { self == .unary || self == .serverStreaming }

    /// Whether the caller is answered with exactly one message.
    package var hasSingleResponse: Bool { self == .unary || self == .clientStreaming }
}

/// A place where the method is offered as JSON over HTTP, as `google.api.http` writes it.
package struct HTTPRoute: Sendable, Hashable {
    /// `GET`, `POST`, …
    package let method: String
    /// A template such as `/v1/users/{user_id}`.
    package let path: String
    /// The field that the HTTP body fills: empty for none, `*` for all that the path leaves.
    package let body: String

    package init(method: String, path: String, body: String = "") {
        self.method = method
        self.path = path
        self.body = body
    }
}

/// A method of a contract, without its types. A copy costs one reference.
package struct MethodDescriptor: Sendable, Hashable {
    private let contents: Contents

    private final class Contents: Sendable {
        let service: String
        let name: String
        let kind: CallKind
        let policy: MethodPolicy
        let routes: [HTTPRoute]
        let path: String

        init(service: String, name: String, kind: CallKind, policy: MethodPolicy, routes: [HTTPRoute]) {
            self.service = service
            self.name = name
            self.kind = kind
            self.policy = policy
            self.routes = routes
            self.path = "/\(service)/\(name)"
        }
    }

    package init(service: String, name: String, kind: CallKind, policy: MethodPolicy, routes: [HTTPRoute] = []) {
        contents = Contents(service: service, name: name, kind: kind, policy: policy, routes: routes)
    }

    /// The full name of the service, such as `heartguard.users.v1.UsersService`.
    package var service: String { contents.service }
    package var name: String { contents.name }
    package var kind: CallKind { contents.kind }
    package var policy: MethodPolicy { contents.policy }
    package var routes: [HTTPRoute] { contents.routes }
    /// What `:path` says on the wire: `/service/name`.
    package var path: String { contents.path }

    package static func == (a: MethodDescriptor, b: MethodDescriptor) -> Bool {
        a.path == b.path && a.kind == b.kind && a.policy == b.policy && a.routes == b.routes
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(path)
    }
}

/// A method with the types of its messages, which lets a client call it and a server offer it.
package struct Method<Request: Message, Response: Message>: Sendable, Hashable {
    package let descriptor: MethodDescriptor

    package init(_ descriptor: MethodDescriptor) {
        self.descriptor = descriptor
    }
}
