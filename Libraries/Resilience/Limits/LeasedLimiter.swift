package import Redis
internal import Synchronization
internal import Time

/// A limiter that goes on when Redis is away, so that all replicas together admit little more than the limit.
///
/// While Redis answers it decides. When it does not, each replica admits its part of the limit (one of as many as there were),
/// and of what may be in use already only a lease: all leases together are a tenth of the limit. When Redis is
/// back, each replica tells it what was let through meanwhile, and then asks it again.
///
/// What waits for a silent Redis are the calls that asked before one of them was given up; from then on nobody asks but
/// a probe in the background.
package final class LeasedLimiter: Sendable {
    /// What a call wants while it cannot be counted together with those of other replicas.
    package enum Loss: Sendable {
        case liveOnShare
        case refuse
    }

    package struct Decision: Sendable, Hashable {
        package let admission: Admission
        /// Whether it was counted together with other replicas' calls.
        package let isCountedTogether: Bool
    }

    /// A call that had to be counted and could not be.
    package struct NotCounted: Error {
        /// What Redis said; nil when it was not asked, because it has been away for a while.
        package let cause: RedisError?
    }

    /// Decisions since the program began.
    package struct Counts: Sendable, Hashable {
        package internal(set) var admittedTogether = 0
        package internal(set) var refusedTogether = 0
        package internal(set) var admittedOnShare = 0
        package internal(set) var refusedOnShare = 0
        package internal(set) var notCounted = 0
        /// Calls that asked Redis and were not answered in time.
        package internal(set) var unanswered = 0
    }

    package let name: String
    package let limit: RateLimit
    private let limiter: any RateLimiter
    private let shares: LimiterShares
    private let ledger: Mutex<ShareLedger>
    private let counted = Mutex(Counts())

    package init(_ name: String, _ limiter: any RateLimiter, shares: LimiterShares) {
        self.name = name
        self.limiter = limiter
        self.shares = shares
        limit = limiter.limit
        ledger = Mutex(ShareLedger(limiter.limit, maxKeys: shares.configuration.maxKeys))
        shares.beforeCountingTogether { [weak self] part, generation in await self?.settle(part, generation) ?? true }
    }

    package var counts: Counts { counted.withLock { $0 } }

    /// Takes `cost` units, all or none. Waits for Redis for no longer than its shares' patience, the long one if the call has to
    /// be counted.
    package func admit(
        _ key: String, cost: Int, onLoss: Loss
    ) async throws(NotCounted) -> Decision {
        let view = shares.view
        var failure: RedisError?
        if view.standing == .up || (view.standing == .suspected && onLoss == .refuse) {
            let patience = onLoss == .refuse ? shares.configuration.longPatience : shares.configuration.patience
            do throws(RedisError) {
                // What was let through without Redis waits, if that has come back empty, until all replicas have told what was in use.
                return try await ask(key, cost, patience, view.standing == .up ? .both : .used, generation: view.generation)
            } catch {
                counted.withLock { $0.unanswered += 1 }
                // A caller that has given up says nothing about Redis.
                if Task.isCancelled || Deadline.current?.hasPassed == true { throw NotCounted(cause: error) }
                shares.callFailed()
                failure = error
            }
        }
        guard onLoss == .liveOnShare else {
            counted.withLock { $0.notCounted += 1 }
            throw NotCounted(cause: failure)
        }
        return admitOnShare(key, cost)
    }

    private func ask(
        _ key: String, _ cost: Int, _ patience: Duration, _ part: ShareLedger.Part, generation: Int
    ) async throws(RedisError) -> Decision {
        let admission = try await tell(part, key, cost, patience, generation: generation)
        counted.withLock { counts in
            if case .admitted = admission { counts.admittedTogether += 1 } else { counts.refusedTogether += 1 }
        }
        return Decision(admission: admission, isCountedTogether: true)
    }

    /// Asks Redis, and tells it what it does not know of the key.
    private func tell(
        _ part: ShareLedger.Part, _ key: String, _ cost: Int, _ patience: Duration, generation: Int
    ) async throws(RedisError) -> Admission {
        let carried = ledger.withLock { $0.carry(key, part, generation: generation, at: shares.now) }
        let admission: Admission
        do throws(RedisError) {
            admission = try await Deadline.with(.earlier(.current, .after(patience))) { () async throws(RedisError) in
                try await limiter.admit(key, cost: cost, carrying: carried)
            }
        } catch {
            ledger.withLock { $0.giveBack(key, carried) }
            throw error
        }
        ledger.withLock { $0.told(key, admission, cost: cost, generation: generation, at: shares.now) }
        return admission
    }

    /// Tells Redis what it does not know, a few keys at a time. `false` if it did not answer.
    private func settle(_ part: ShareLedger.Part, _ generation: Int) async -> Bool {
        let keys = ledger.withLock { $0.owing(part, generation: generation, at: shares.now) }
        return await withTaskGroup { group in
            var rest = keys[...]
            for key in rest.prefix(LeasedLimiter.settledAtATime) { group.addTask { await self.settle(part, key, generation) } }
            rest = rest.dropFirst(LeasedLimiter.settledAtATime)
            while let isTold = await group.next() {
                guard isTold else { return false }
                if let key = rest.popFirst() { group.addTask { await self.settle(part, key, generation) } }
            }
            return true
        }
    }

    private static let settledAtATime = 64

    private func settle(_ part: ShareLedger.Part, _ key: String, _ generation: Int) async -> Bool {
        do throws(RedisError) {
            _ = try await tell(part, key, 0, shares.configuration.longPatience, generation: generation)
            return true
        } catch {
            return false
        }
    }

    private func admitOnShare(_ key: String, _ cost: Int) -> Decision {
        // Read anew: the call's own failure may have been the first.
        let view = shares.view
        let share = ShareLedger.Share(of: limit, replicas: view.replicas, leased: shares.configuration.leased)
        let admission = ledger.withLock { $0.admit(key, cost: cost, share, lost: view.lost, at: shares.now) }
        counted.withLock { counts in
            if case .admitted = admission { counts.admittedOnShare += 1 } else { counts.refusedOnShare += 1 }
        }
        return Decision(admission: admission, isCountedTogether: false)
    }
}
