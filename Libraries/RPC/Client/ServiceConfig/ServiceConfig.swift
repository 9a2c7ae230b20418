/// How a channel's calls are made: per method how long, how patiently and how often, and over which connections
/// (gRPC's service_config.md and gRFC A6). It is written as JSON, or put together from its values.
package struct ServiceConfig: Sendable, Hashable {
    package var methods: [MethodConfig]
    package var retryThrottling: RetryThrottling?
    package var loadBalancing: LoadBalancing?

    package init(
        methods: [MethodConfig] = [],
        retryThrottling: RetryThrottling? = nil,
        loadBalancing: LoadBalancing? = nil
    ) {
        self.methods = methods
        self.retryThrottling = retryThrottling
        self.loadBalancing = loadBalancing
    }

    /// When retries stop because too many calls fail: at half of `maxTokens`, of which each failure takes one and each
    /// success gives a part back.
    package struct RetryThrottling: Sendable, Hashable {
        package var maxTokens: Int
        package var tokenRatio: Double

        package init(maxTokens: Int, tokenRatio: Double) {
            self.maxTokens = maxTokens
            self.tokenRatio = tokenRatio
        }
    }

    /// Says where a config is wrong, as a path such as `$.methodConfig[0].retryPolicy.maxAttempts`, and how.
    package struct Problem: Error, Hashable, CustomStringConvertible {
        package let path: String
        package let reason: String

        package var description: String { "The service config is wrong at \(path): \(reason)" }
    }
}

/// What a config says about some methods.
package struct MethodConfig: Sendable, Hashable {
    /// Without a method all of the service, without a service all there are. The most exact name wins.
    package struct Name: Sendable, Hashable {
        package var service: String
        package var method: String

        package init(service: String = "", method: String = "") {
            self.service = service
            self.method = method
        }

        var path: String { "/\(service)/\(method)" }
    }

    /// A call is retried or hedged, never both.
    package enum Repetition: Sendable, Hashable {
        case retry(RetryPolicy)
        case hedging(HedgingPolicy)
    }

    package var names: [Name]
    /// The strictest of this, the caller's and the contract's counts.
    package var timeout: Duration?
    /// What holds where the caller does not say.
    package var waitForReady: Bool?
    package var repetition: Repetition?
    package var maxRequestMessageBytes: Int?
    package var maxResponseMessageBytes: Int?

    package init(
        names: [Name],
        timeout: Duration? = nil,
        waitForReady: Bool? = nil,
        repetition: Repetition? = nil,
        maxRequestMessageBytes: Int? = nil,
        maxResponseMessageBytes: Int? = nil
    ) {
        self.names = names
        self.timeout = timeout
        self.waitForReady = waitForReady
        self.repetition = repetition
        self.maxRequestMessageBytes = maxRequestMessageBytes
        self.maxResponseMessageBytes = maxResponseMessageBytes
    }
}

/// A call that failed with one of the codes is made again after a pause that grows.
package struct RetryPolicy: Sendable, Hashable {
    /// All attempts, the first included; more than `ClientAttempts.limit` count as so many.
    package var maxAttempts: Int
    package var initialBackoff: Duration
    package var maxBackoff: Duration
    package var backoffMultiplier: Double
    package var retryableStatusCodes: Set<StatusCode>

    package init(
        maxAttempts: Int,
        initialBackoff: Duration,
        maxBackoff: Duration,
        backoffMultiplier: Double,
        retryableStatusCodes: Set<StatusCode>
    ) {
        self.maxAttempts = maxAttempts
        self.initialBackoff = initialBackoff
        self.maxBackoff = maxBackoff
        self.backoffMultiplier = backoffMultiplier
        self.retryableStatusCodes = retryableStatusCodes
    }
}

/// A call is made again before it has failed, each time that `hedgingDelay` passes without an answer; the first answer
/// counts. Methods that are not idempotent by their contract are never hedged, whatever a config says.
package struct HedgingPolicy: Sendable, Hashable {
    package var maxAttempts: Int
    package var hedgingDelay: Duration
    package var nonFatalStatusCodes: Set<StatusCode>

    package init(maxAttempts: Int, hedgingDelay: Duration, nonFatalStatusCodes: Set<StatusCode>) {
        self.maxAttempts = maxAttempts
        self.hedgingDelay = hedgingDelay
        self.nonFatalStatusCodes = nonFatalStatusCodes
    }
}
