/// What a service config comes to for one method.
final class CallPlan: Sendable {
    let timeout: Duration?
    let waitForReady: Bool?
    let repetition: MethodConfig.Repetition?
    let maxRequestMessageBytes: Int?
    let maxResponseMessageBytes: Int?

    init(_ config: MethodConfig, repetition: MethodConfig.Repetition?) {
        timeout = config.timeout
        waitForReady = config.waitForReady
        self.repetition = repetition
        maxRequestMessageBytes = config.maxRequestMessageBytes
        maxResponseMessageBytes = config.maxResponseMessageBytes
    }
}

/// Finds the plan of a method: by its full name, by its service's, or the one for all.
struct CallPlans: Sendable {
    private let configs: [MethodConfig.Name: (asWritten: CallPlan, unhedged: CallPlan)]

    init(_ config: ServiceConfig) {
        var configs: [MethodConfig.Name: (asWritten: CallPlan, unhedged: CallPlan)] = [:]
        for method in config.methods {
            let asWritten = CallPlan(method, repetition: method.repetition)
            var unhedged = asWritten
            if case .hedging = method.repetition { unhedged = CallPlan(method, repetition: nil) }
            for name in method.names { configs[name] = (asWritten, unhedged) }
        }
        self.configs = configs
    }

    /// What is not idempotent by its contract is not hedged.
    func plan(of method: MethodDescriptor) -> CallPlan? {
        let found =
            configs[.init(service: method.service, method: method.name)] ?? configs[.init(service: method.service)] ?? configs[.init()]
        return method.policy.idempotency == .notIdempotent ? found?.unhedged : found?.asWritten
    }
}
