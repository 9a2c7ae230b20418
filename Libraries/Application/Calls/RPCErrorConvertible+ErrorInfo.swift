internal import Contracts

extension RPCErrorConvertible {
    /// google.rpc.ErrorInfo, for programs that tell one error from another: the reason is the name of the enum's case,
    /// `WRONG_CREDENTIALS` for `wrongCredentials`, and the domain that of the service, `users.heartguard`. What the case
    /// holds is not told.
    var errorInfo: GoogleRPC.ErrorInfo {
        let name = Mirror(reflecting: self).children.first?.label ?? "\(self)"
        let module = String(reflecting: type(of: self)).prefix { $0 != "." }
        return GoogleRPC.ErrorInfo(reason: Self.upperSnake(name), domain: "\(module.lowercased()).heartguard")
    }

    private static func upperSnake(_ camel: String) -> String {
        camel.reduce(into: "") { snake, character in
            if character.isUppercase { snake += "_" }
            snake += character.uppercased()
        }
    }
}
