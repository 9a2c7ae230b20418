/// Whether a store that every call would ask is to be asked. A value that knows no clock.
///
/// One call that had to wait too long is enough to ask no more: from then on a probe in the background does the waiting,
/// and the first that is answered in time brings the calls back.
struct StoreCondition: Sendable {
    enum Standing: Sendable, Hashable {
        /// Goes to `suspected` with the first call that fails, to `down` with a probe that fails.
        case up
        /// Only what must be answered by the store may still ask it. Goes to `up` or `down` with the next probe.
        case suspected
        /// Goes to `up` with a probe that is answered in time.
        case down
    }

    enum Probe: Sendable {
        case answered
        /// Answered, but later than a call would wait.
        case answeredLate
        case failed
    }

    private(set) var standing = Standing.up

    /// A call was not answered in time, or with an error. Returns whether an outage begins with it.
    mutating func callFailed() -> Bool {
        guard standing == .up else { return false }
        standing = .suspected
        return true
    }

    /// Returns whether an outage begins with it.
    mutating func probed(_ probe: Probe) -> Bool {
        let wasUp = standing == .up
        switch probe {
        case .answered: standing = .up
        case .answeredLate: if standing == .down { standing = .suspected }
        case .failed: standing = .down
        }
        return wasUp && standing != .up
    }
}
