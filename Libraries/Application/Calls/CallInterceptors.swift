package import Logging
package import RPC

/// What a call passes in every service and needs no store for, the outermost first.
package enum CallInterceptors {
    /// The call's log line, then its errors turned into statuses.
    package static func standard(logger: Logger) -> [any ServerInterceptor] {
        [CallLog(logger: logger), ErrorMapping()]
    }
}
