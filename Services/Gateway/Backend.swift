import RPC

/// The services behind the Gateway, in the order in which an overview names them.
enum Backend: String, CaseIterable, Sendable {
    case users, vitals, chat, vectors

    /// The backend that serves a method, by the method's package; nil for the Gateway's own.
    init?(serving method: MethodDescriptor) {
        let parts = method.service.split(separator: ".")
        guard parts.count == 4, parts[0] == "heartguard", let backend = Backend(rawValue: String(parts[1])) else {
            return nil
        }
        self = backend
    }
}
