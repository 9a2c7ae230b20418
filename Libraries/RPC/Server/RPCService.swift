/// What a server offers under one service name. The generated code of a contract conforms to it.
package protocol RPCService: Sendable {
    /// The full name, such as `heartguard.users.v1.UsersService`.
    static var serviceName: String { get }

    /// One handler for each method of the service.
    var handlers: [MethodHandler] { get }
}
