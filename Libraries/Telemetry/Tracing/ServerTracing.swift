package import RPC
package import Tracing

/// Records a span for every call that a server answers, as a child of its caller's.
///
/// A program that records none has no use for it: traces pass through without.
package struct ServerTracing: ServerInterceptor {
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

    package func intercept(_ context: RPCContext, next: @Sendable (RPCContext) async throws -> Void) async throws {
        var carrier = context.metadata
        // A trace that began here goes by the id that the log has; recording it is for nobody else to decide.
        if TraceContext(carrier) == nil {
            carrier["traceparent"] = context.trace.sampled.traceparent
            carrier["tracestate"] = nil
        }
        var parent = ServiceContext.topLevel
        tracer.extract(carrier, into: &parent, using: MetadataCarrier())
        let span: any Span = tracer.startSpan(OTelName.method(context.method), context: parent, ofKind: .server)
        RPCSpan.begin(context.method, on: span)
        do {
            try await ServiceContext.withValue(span.context) { try await next(context) }
            RPCSpan.end(nil, isFailure: RPCSpan.isServerFailure, on: span)
        } catch {
            RPCSpan.end(error, isFailure: RPCSpan.isServerFailure, on: span)
            throw error
        }
    }
}
