package import RPC
package import Tracing

/// Records a span for every call that a channel makes, and hands it on as the parent of the server's.
package struct ClientTracing: ClientInterceptor {
    private let tracer: any Tracer

    package init(tracer: any Tracer) {
        self.tracer = tracer
    }

    /// The tracer that this process was started with; `nil` when it has none.
    package init?() {
        let tracer = InstrumentationSystem.tracer
        if tracer is NoOpTracer { return nil }
        self.init(tracer: tracer)
    }

    package func intercept(
        _ context: ClientCallContext, next: @Sendable (ClientCallContext) async throws -> Void
    ) async throws {
        let parent = ServiceContext.current ?? .topLevel
        let span: any Span = tracer.startSpan(OTelName.method(context.method), context: parent, ofKind: .client)
        RPCSpan.begin(context.method, on: span)
        var context = context
        tracer.inject(span.context, into: &context.metadata, using: MetadataCarrier())
        do {
            try await next(context)
            RPCSpan.end(nil, isFailure: { $0 != .ok }, on: span)
        } catch {
            RPCSpan.end(error, isFailure: { $0 != .ok }, on: span)
            throw error
        }
    }
}
