internal import Application
internal import Foundation
internal import Jobs
internal import Postgres
internal import RecordTestSupport
internal import Redis
internal import Schema
internal import Synchronization
internal import TestSupport
internal import Testing
internal import Time
internal import Tokens

@testable internal import Users

/// Breaks work off at its nth step, once.
final class Fuse: Sendable {
    struct Blown: Error {}

    private let left: Mutex<Int>

    init(_ steps: Int) { left = Mutex(steps) }

    func pass() throws {
        let left = left.withLock { left in
            left -= 1
            return left
        }
        if left == 0 { throw Blown() }
    }

    /// Whether it has broken anything off.
    var hasBlown: Bool { left.withLock { $0 <= 0 } }
}

/// What erases accounts: the jobs of Users over the real tables of all services. One row is removed at a step, and each call does one.
struct Erasing: Sendable {
    let users: UsersStand
    let services: [(name: String, records: RecordErasure)]
    let settling: Duration
    /// By the person whose erasure it is, what may blow before each step and behind it.
    let fuses = Fuses()

    final class Fuses: Sendable {
        private let all = Mutex<[UUID: Fuse]>([:])
        subscript(user: UUID) -> Fuse? {
            get { all.withLock { $0[user] } }
            set { all.withLock { $0[user] = newValue } }
        }
    }

    var jobs: ErasureJobs {
        ErasureJobs(
            erasures: ErasureRepository(postgres: users.postgres),
            keepers: services.map { name, records in
                RecordKeeper(name: name) { [fuses] subject in
                    try fuses[subject.user]?.pass()
                    let progress = try await records.erase(subject)
                    try fuses[subject.user]?.pass()
                    return progress
                }
            },
            signer: users.signer, logger: quiet, settling: settling,
            retries: RetryPolicy(maximumTries: 100, delays: .milliseconds(5) ... .milliseconds(10)))
    }

    /// Runs relay and worker meanwhile.
    func working<Value>(_ body: () async throws -> Value) async throws -> Value {
        let queue = JobQueue(redis: users.durable, name: "arq:queue:users-\(UUID().uuidString)")
        let relay = OutboxRelay(jobs.erasures.outbox, to: queue, logger: quiet)
        let worker = JobWorker(
            queue, handlers: jobs.handlers, effects: JobEffects(postgres: users.postgres, table: "users.job_effects"), logger: quiet)
        let running = [Task { await relay.run() }, Task { await worker.run() }]
        let result: Result<Value, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        for task in running { task.cancel() }
        for task in running { await task.value }
        return try result.get()
    }

    /// Works until the erasure has its receipt.
    func finish(_ erasure: ErasureID) async throws -> Erasure { try await working { try await receipted(erasure) } }

    func receipted(_ id: ErasureID) async throws -> Erasure {
        while true {
            if let erasure = try await jobs.erasures.find(id), erasure.finishedAt != nil { return erasure }
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}

extension UsersStand {
    /// Lends what erases accounts.
    func erasing(settling: Duration = .zero, _ body: (Erasing) async throws -> Void) async throws {
        let server = try await PostgresServer.shared
        let name = try await erasureDatabase.value.database
        func configuration(_ role: ServiceRole) -> PostgresConfiguration { server.configuration(database: name, user: role.roleName) }
        func stepwise(_ postgres: Postgres, _ schema: Query) -> RecordErasure {
            var records = RecordErasure(postgres: postgres, schema: schema) { _ in }
            records.patience = .zero
            records.step = 1
            return records
        }
        try await PostgresServer.withClient(configuration(.vitals)) { vitals in
            try await PostgresServer.withClient(configuration(.chat)) { chat in
                try await PostgresServer.withClient(configuration(.vectors)) { vectors in
                    try await body(
                        Erasing(
                            users: self,
                            services: [
                                ("users", stepwise(postgres, "users")), ("vitals", stepwise(vitals, "vitals")), ("chat", stepwise(chat, "chat")),
                                ("vectors", stepwise(vectors, "vectors")),
                            ],
                            settling: settling))
                }
            }
        }
    }
}

/// A person's rows, in every schema: what there is of them, by table.
enum PersonalRows {
    /// A few rows in tables of every service that refer to each other.
    static func make(of user: UUID, in database: Once<PostgresConfiguration> = erasureDatabase) async throws {
        let id = "'\(user.uuidString)'::uuid"
        try await runAsAdministrator(
            in: database,
            """
            INSERT INTO users.push_devices (user_id, id, platform, push_token) VALUES (\(id), gen_random_uuid(), 'ios', 'token');
            INSERT INTO users.notifications (user_id, id, kind, channel, title) VALUES (\(id), gen_random_uuid(), 'goal', 'push', 'title');
            INSERT INTO vitals.user_devices (user_id, id, device_type, platform, name, serial_number)
                VALUES (\(id), \(id), 'watch', 'wearos', 'watch', 'W-1');
            INSERT INTO vitals.vitals (user_id, id, metric, value, unit, effective_at, utc_offset_minutes, source, device_id, sequence)
                SELECT \(id), gen_random_uuid(), '8867-4', 60, '/min', now(), 0, 'watch', \(id), n FROM generate_series(1, 3) AS n;
            INSERT INTO vitals.device_timeseries (user_id, device_id, metric_type, "timestamp", sequence, value)
                VALUES (\(id), \(id), 'ecg', now(), 1, 1);
            INSERT INTO vitals.health_alerts (user_id, id, type, severity, title, vital_id)
                SELECT \(id), gen_random_uuid(), 'threshold', 'info', 'title', v.id FROM vitals.vitals v WHERE v.user_id = \(id) LIMIT 1;
            INSERT INTO chat.chat_sessions (user_id, id, title, message_count) VALUES (\(id), \(id), 'title', 2);
            INSERT INTO chat.chat_messages (user_id, id, session_id, sequence, role, content, client_id)
                SELECT \(id), gen_random_uuid(), \(id), n, 'user', 'content', n::text FROM generate_series(1, 2) AS n;
            INSERT INTO chat.feedback (user_id, id, message_id, kind)
                SELECT \(id), gen_random_uuid(), m.id, 'thumbs' FROM chat.chat_messages m WHERE m.user_id = \(id) LIMIT 1;
            INSERT INTO vectors.vector_user_memories (user_id, id, content, embedding, position)
                VALUES (\(id), 'memory', 'content', vectors.embedding('[' || repeat('0,', 383) || '1]'), 1);
            """)
    }

    /// What `make` makes, with what an account has that has signed in once.
    static let made: [String: [String: Int64]] = [
        "users": ["users": 1, "sessions": 1, "refresh_tokens": 1, "push_devices": 1, "notifications": 1],
        "vitals": ["user_devices": 1, "vitals": 3, "device_timeseries": 1, "device_rollups": 2, "health_alerts": 1],
        "chat": ["chat_sessions": 1, "chat_messages": 2, "feedback": 1],
        "vectors": ["vector_user_memories": 1],
    ]

    /// Tables in which there is anything of a person, whoever looks after them.
    static func tables(with user: UUID) async throws -> [String] {
        try await runAsAdministrator(
            """
            SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = CASE WHEN c.oid = 'users.users'::regclass THEN 'id' ELSE 'user_id' END
            WHERE n.nspname IN ('users', 'vitals', 'chat', 'vectors') AND c.relkind IN ('r', 'p') AND NOT c.relispartition
              AND (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %s WHERE %I = %L', c.oid::regclass, a.attname, '\(user)'),
                                                       false, true, '')))[1]::text <> '0'
            ORDER BY 1
            """
        ).split(separator: "\n").map(String.init)
    }
}

/// What psql prints of the database of these tests, as the superuser, for whom no policy holds.
@discardableResult
func runAsAdministrator(in database: Once<PostgresConfiguration> = erasureDatabase, _ sql: String) async throws -> String {
    try await PostgresServer.shared.psql(sql, database: try await database.value.database)
}
