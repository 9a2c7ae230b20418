internal import Synchronization

/// The bucket of tokens that stops retries when too many calls fail (gRFC A6, "Throttling Retry Attempts and Hedged
/// RPCs"). It counts in thousandths, the exactness that the config may have.
struct RetryThrottle {
    private let maxTokens: Int
    private let ratio: Int
    private(set) var tokens: Int

    init(_ config: ServiceConfig.RetryThrottling) {
        maxTokens = config.maxTokens * 1_000
        ratio = Int((config.tokenRatio * 1_000).rounded())
        tokens = maxTokens
    }

    /// Whether a call may be tried once more.
    var allowsRetries: Bool { tokens > maxTokens / 2 }

    mutating func succeeded() {
        tokens = min(maxTokens, tokens + ratio)
    }

    mutating func failed() {
        tokens = max(0, tokens - 1_000)
    }
}

/// The bucket of one channel, which all its calls share.
final class SharedThrottle: Sendable {
    private let throttle: Mutex<RetryThrottle>

    init(_ config: ServiceConfig.RetryThrottling) {
        throttle = Mutex(RetryThrottle(config))
    }

    var allowsRetries: Bool { throttle.withLock { $0.allowsRetries } }

    func succeeded() {
        throttle.withLock { $0.succeeded() }
    }

    func failed() {
        throttle.withLock { $0.failed() }
    }
}
