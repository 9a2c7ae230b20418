/// What the contract says about a method beyond its types: who may call it, how long it may take, what it costs.
/// Gateway, service, cache and log enforce it; a method without a policy does not build.
package struct MethodPolicy: Sendable, Hashable {
    package enum Access: Sendable, Hashable {
        /// Nobody has to say who they are.
        case anyone
        /// A signed-in user, for what is theirs.
        case user
        /// Another program of the cluster, by its certificate: one of `callers`.
        case service
        /// Somebody who runs the system.
        case operator_
    }

    /// The longest that a call may take, whatever its caller would allow.
    package enum TimeoutTier: Sendable, Hashable {
        case fast
        case normal
        case slow
        case batch
        /// Until the caller hangs up. A year stands for it.
        case standing

        package var limit: Duration {
            switch self {
            case .fast: .seconds(5)
            case .normal: .seconds(30)
            case .slow: .seconds(60)
            case .batch: .seconds(300)
            case .standing: .seconds(365 * 86_400)
            }
        }
    }

    package enum Idempotency: Sendable, Hashable {
        case noSideEffects
        case idempotent
        case notIdempotent
    }

    package enum AuditClass: Sendable, Hashable {
        case none
        case read
        case write
        case security
    }

    /// What to do with a call when Redis cannot be asked about it.
    package enum RedisLoss: Sendable, Hashable {
        case failOpen
        case failClosed
    }

    package var access: Access
    package var timeout: TimeoutTier
    /// What a call takes out of its caller's rate allowance.
    package var cost: Int
    package var idempotency: Idempotency
    package var audit: AuditClass
    /// How long an answer may be kept, or `nil` when it may not.
    package var cacheTTL: Duration?
    package var onRedisLoss: RedisLoss
    /// The programs that may call a method of access `service`.
    package var callers: [String]
    /// What a clinician has to have been granted, any one of these, to call the method for a patient; empty where nobody may.
    package var scopes: [CareScope]
    /// Whether what is asked or answered has a password or a token in it, which nobody keeps a copy or a digest of.
    package var holdsSecrets: Bool

    package init(
        access: Access,
        timeout: TimeoutTier = .fast,
        cost: Int = 1,
        idempotency: Idempotency = .notIdempotent,
        audit: AuditClass = .none,
        cacheTTL: Duration? = nil,
        onRedisLoss: RedisLoss = .failClosed,
        callers: [String] = [],
        scopes: [CareScope] = [],
        holdsSecrets: Bool = false
    ) {
        self.access = access
        self.timeout = timeout
        self.cost = cost
        self.idempotency = idempotency
        self.audit = audit
        self.cacheTTL = cacheTTL
        self.onRedisLoss = onRedisLoss
        self.callers = callers
        self.scopes = scopes
        self.holdsSecrets = holdsSecrets
    }
}
