internal import Application
internal import FoundationEssentials
internal import Postgres

/// Who did what to a person's data.
struct AuditEntry: Hashable, Sendable {
    enum ActorKind: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case user, service, system
        case operator_ = "operator"
    }

    enum Outcome: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case allowed, denied, failed
    }

    var actor: UUID?
    var actorKind: ActorKind
    var action: String
    var resource: String
    var resourceID: String?
    var outcome: Outcome
    var requestID: String?
    var details = JSONB("{}")
}

extension AuditEntry: RowDecodable {
    /// The columns that the initialiser reads.
    static let columns: Query = "actor_id, actor_kind, action, resource, resource_id, outcome, request_id, details"

    init(row: Row) throws(PostgresError) {
        actor = try row.decode("actor_id")
        actorKind = try row.decode("actor_kind")
        action = try row.decode("action")
        resource = try row.decode("resource")
        resourceID = try row.decode("resource_id")
        outcome = try row.decode("outcome")
        requestID = try row.decode("request_id")
        details = try row.decode("details")
    }
}

/// The rows of `users.audit_log`: a chain a person, each entry with the hash of the one before it.
struct AuditLogRepository: Sendable {
    let postgres: Postgres

    /// What an entry's hash is of, besides the hash before it: every column, the time in seconds so that no setting of the
    /// session shows in it.
    fileprivate static let content: Query = """
        convert_to(jsonb_build_array(user_id, sequence, actor_id, actor_kind, action, resource, resource_id, outcome,
                                     request_id, details, extract(epoch FROM created_at))::text, 'UTF8')
        """

    /// Adds an entry at the chain's end. Appends to one person's chain wait for each other.
    func append(_ entry: AuditEntry, about user: UserID) async throws(PostgresError) {
        _ = try await postgres.batch(
            .lockAuditLog(of: user), .append(entry, about: user), identity: .user(user.uuid))
    }

    /// The newest first; those before the entry with the number `before`, if one is given.
    func list(of user: UserID, before: Int64 = .max, limit: Int) async throws(PostgresError) -> [AuditEntry] {
        try await postgres.rows(.list(of: user, before: before, limit: limit), identity: .user(user.uuid))
    }

    /// The number of the first entry that is not what was added, or in whose place one is missing; `nil` if all hold.
    func firstBroken(of user: UserID) async throws(PostgresError) -> Int64? {
        try await postgres.first(.firstBroken(of: user), identity: .user(user.uuid))?.value
    }
}

extension Statement<Void> {
    static func lockAuditLog(of user: UserID) -> Self {
        .reading("SELECT pg_advisory_xact_lock(hashtextextended('users.audit_log ' || \(user.uuid)::text, 0))")
    }

    /// A statement of its own, behind the lock: only one that begins after it sees what its last holder committed.
    static func append(_ entry: AuditEntry, about user: UserID) -> Self {
        .writing(
            """
            WITH last AS (
                SELECT sequence, hash FROM users.audit_log WHERE user_id = \(user.uuid) ORDER BY sequence DESC LIMIT 1
            ), entry AS (
                SELECT \(user.uuid)::uuid AS user_id, coalesce((SELECT sequence FROM last), 0) + 1 AS sequence,
                       \(entry.actor)::uuid AS actor_id, \(entry.actorKind)::text AS actor_kind,
                       \(entry.action)::text AS action, \(entry.resource)::text AS resource,
                       \(entry.resourceID)::text AS resource_id, \(entry.outcome)::text AS outcome,
                       \(entry.requestID)::text AS request_id, \(entry.details)::jsonb AS details,
                       coalesce((SELECT hash FROM last), decode(repeat('00', 32), 'hex')) AS previous_hash,
                       statement_timestamp() AS created_at
            )
            INSERT INTO users.audit_log (user_id, sequence, \(AuditEntry.columns), previous_hash, created_at, hash)
            SELECT user_id, sequence, \(AuditEntry.columns), previous_hash, created_at,
                   sha256(previous_hash || \(AuditLogRepository.content)) FROM entry
            """)
    }
}

extension Statement<AuditEntry> {
    static func list(of user: UserID, before: Int64, limit: Int) -> Self {
        .reading(
            """
            SELECT \(AuditEntry.columns) FROM users.audit_log
            WHERE user_id = \(user.uuid) AND sequence < \(before) ORDER BY sequence DESC LIMIT \(limit)
            """)
    }
}

extension Statement<Scalar<Int64>> {
    static func firstBroken(of user: UserID) -> Self {
        .reading(
            """
            SELECT place FROM (
                SELECT row_number() OVER chain AS place, sequence, hash, sha256(previous_hash || \(AuditLogRepository.content)) AS recomputed, previous_hash,
                       coalesce(lag(hash) OVER chain, decode(repeat('00', 32), 'hex')) AS hash_before
                FROM users.audit_log WHERE user_id = \(user.uuid) WINDOW chain AS (ORDER BY sequence)
            ) AS entries
            WHERE sequence <> place OR hash <> recomputed OR previous_hash <> hash_before
            ORDER BY place LIMIT 1
            """,
            tier: .normal, mayLag: true)
    }
}
