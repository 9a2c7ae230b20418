package import Logging
package import RPC
package import Telemetry

/// What a call passes in every service and needs no store for, the outermost first.
package enum CallInterceptors {
    /// The call's span, where the process has a tracer, then its errors turned into statuses.
    package static func standard() -> [any ServerInterceptor] {
        let tracing: [any ServerInterceptor] = ServerTracing().map { [$0] } ?? []
        return tracing + [ErrorMapping()]
    }
}

/// What hears of every call's end in every service.
package enum CallObservers {
    /// The calls' metrics, and their log lines.
    package static func standard(metrics: HDRMetrics, logger: Logger) -> [any RPCObserver] {
        [RPCMetrics(factory: metrics), CallLog(logger: logger)]
    }
}
