import Contracts
import RPC

/// How the Gateway calls a service: what the contract lets it do while the service is restarted or in trouble.
enum BackendConfig {
    /// Every call waits for a connection until its deadline, so a restart costs time and no calls. What is idempotent by
    /// its contract is also made again when it was lost on its way; what is not never is.
    static func serviceConfig(for backend: Backend) -> ServiceConfig {
        let repeatable = ContractRegistry.methods.map(\.descriptor).filter { method in
            Backend(serving: method) == backend && method.policy.idempotency != .notIdempotent
        }
        let retry = RetryPolicy(
            maxAttempts: 3, initialBackoff: .milliseconds(100), maxBackoff: .seconds(1), backoffMultiplier: 2,
            retryableStatusCodes: [.unavailable])
        return ServiceConfig(
            methods: [
                MethodConfig(names: [.init()], waitForReady: true),
                MethodConfig(
                    names: repeatable.map { .init(service: $0.service, method: $0.name) }, waitForReady: true,
                    repetition: .retry(retry)),
            ],
            // A service that fails every call is asked no more than once for each of them.
            retryThrottling: .init(maxTokens: 100, tokenRatio: 0.1))
    }

    /// - Parameter connections: one for each event loop, so that no call leaves the loop on which it came.
    static func channel(to backend: Backend, connections: Int) -> RPCChannelConfiguration {
        var configuration = RPCChannelConfiguration()
        configuration.connections = connections
        configuration.serviceConfig = serviceConfig(for: backend)
        // The services are few and near: a restarted one is found at once, and a lost one costs a connection attempt a second.
        configuration.initialBackoff = .milliseconds(50)
        configuration.maxBackoff = .seconds(1)
        // One that comes back as another container has another address.
        configuration.minResolutionInterval = .seconds(1)
        return configuration
    }
}
