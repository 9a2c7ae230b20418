/// Hears of every call of a server once, when it has ended, however it ended: answered, refused, late, given up by its
/// caller, or never begun because no method was found for it.
package protocol RPCObserver: Sendable {
    /// What counts the calls of one method; asked once a method, when the server is made. `nil` stands for requests that
    /// reached no method: an unknown name, a head that was refused.
    func meter(of method: MethodDescriptor?) -> any CallMeter
}

/// Counts the calls of one method.
package protocol CallMeter: Sendable {
    /// A call has ended. It is told on the event loop of the call's connection, which waits for it.
    func ended(_ call: borrowing CallRecord)
}

/// One call that has ended, without anything of what its messages held.
package struct CallRecord: Sendable {
    /// `nil` for a request that reached no method.
    package let context: RPCContext?
    /// Where it came from, such as `ipv4:10.0.0.7:51022`.
    package let peer: String
    /// What its caller was told, with the cause for the log; `nil` when it succeeded.
    package let error: RPCError?
    package let duration: Duration
    /// As they travelled: every message with the five bytes that frame it.
    package let requestBytes: Int
    package let responseBytes: Int
    private let refusedTrace: TraceContext?

    /// - Parameter trace: that of a request without a context.
    package init(
        context: RPCContext?,
        peer: String,
        error: RPCError?,
        duration: Duration,
        requestBytes: Int,
        responseBytes: Int,
        trace: TraceContext? = nil
    ) {
        self.context = context
        self.peer = peer
        self.error = error
        self.duration = duration
        self.requestBytes = requestBytes
        self.responseBytes = responseBytes
        refusedTrace = trace
    }

    /// The trace that it belongs to.
    package var trace: TraceContext? { context?.trace ?? refusedTrace }

    package var code: StatusCode { error?.code ?? .ok }
}
