import Contracts
import RPC

extension MethodDescriptor {
    /// The most bytes that a request may have, at either door. Who has to tell nobody who they are sends the few fields of an account.
    var maxRequestBytes: Int { policy.access == .anyone ? 64 << 10 : 4 << 20 }
}

extension RPCError {
    /// google.rpc.ErrorInfo's reason for a request of more bytes than its method takes.
    static let requestTooLargeReason = "REQUEST_TOO_LARGE"

    static func requestTooLarge(for method: MethodDescriptor) -> RPCError {
        RPCError(
            .resourceExhausted, "The request is larger than \(method.maxRequestBytes) bytes.",
            details: [GoogleRPC.ErrorInfo(reason: requestTooLargeReason, domain: "gateway.heartguard")])
    }
}
