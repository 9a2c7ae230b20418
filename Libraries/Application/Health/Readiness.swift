internal import Logging
package import Migrations
package import Postgres
internal import Synchronization
internal import Time

/// One thing that must hold for a service to serve.
package struct ReadinessCheck: Sendable {
    package let name: String
    /// Nil when it holds, or a sentence that says why not.
    package let problem: @Sendable () async -> String?

    package init(_ name: String, problem: @escaping @Sendable () async -> String?) {
        self.name = name
        self.problem = problem
    }

    /// The same check, asked again only when its last "it holds" is older than this. What does not hold, or cannot be asked, is asked each time.
    package func believed(for time: Duration) -> ReadinessCheck {
        let held = Mutex<ContinuousClock.Instant?>(nil)
        return ReadinessCheck(name) {
            if let since = held.withLock({ $0 }), since.duration(to: .now) < time { return nil }
            let asked = ContinuousClock.now
            let problem = await self.problem()
            held.withLock { $0 = problem == nil ? asked : nil }
            return problem
        }
    }

    /// The database answers.
    package static func postgres(_ postgres: Postgres) -> ReadinessCheck {
        ReadinessCheck("postgres") {
            do throws(PostgresError) {
                try await ping(postgres, .readOnly)
                return nil
            } catch {
                return "The database does not answer: \(error)"
            }
        }
    }

    /// One of the database's replicas answers.
    package static func replicas(of postgres: Postgres) -> ReadinessCheck {
        ReadinessCheck("postgres_replicas") {
            do throws(PostgresError) {
                try await ping(postgres, .replica)
                return nil
            } catch {
                return "No replica of the database answers: \(error)"
            }
        }
    }

    /// How long a database that is there may take for each check. With the interval between checks it stays below a second, which
    /// is what those who watch are promised.
    private static let mayTake: Duration = .milliseconds(600)

    private static func ping(_ postgres: Postgres, _ mode: TransactionMode) async throws(PostgresError) {
        try await Deadline.with(.after(mayTake)) { () async throws(PostgresError) in try await postgres.ping(mode) }
    }

    /// The role that the service works with is held to row-level security, as one is that owns nothing and has no power of its own. Nobody but an
    /// administrator changes that, so once it holds it is asked for once a minute.
    package static func role(_ postgres: Postgres) -> ReadinessCheck {
        ReadinessCheck("role") {
            do throws(PostgresError) {
                let power = try await Deadline.with(.after(mayTake)) { () async throws(PostgresError) -> String? in
                    try await postgres.first(rolesPower, as: Scalar<String>.self, mode: .readOnly)?.value
                }
                return power.map { "\($0), so it could see everybody's rows. A service takes a role that owns nothing, such as heartguard_users." }
            } catch {
                return "What the database's role may do cannot be read: \(error)"
            }
        }.believed(for: .seconds(60))
    }

    /// What takes the current role out of row-level security; no row if nothing does.
    private static let rolesPower: Query = """
        SELECT format('The database role %s %s', current_user, CASE
            WHEN r.rolsuper THEN 'is a superuser' WHEN r.rolbypassrls THEN 'has BYPASSRLS' ELSE 'may act as the owner of tables' END)
        FROM pg_roles r WHERE r.rolname = current_user AND (r.rolsuper OR r.rolbypassrls OR EXISTS (
            SELECT FROM pg_class c WHERE c.relrowsecurity AND pg_has_role(r.oid, c.relowner, 'MEMBER')))
        """

    /// The database has every revision that this program was built with. It may have those of a newer program too: while a release is rolled out, the
    /// schema comes first.
    package static func schema(_ postgres: Postgres, chain: MigrationChain) -> ReadinessCheck {
        ReadinessCheck("schema") {
            do throws(PostgresError) {
                let state = try await Deadline.with(.after(mayTake)) { () async throws(PostgresError) -> SchemaState in
                    try await Migrations.currentState(postgres, chain: chain)
                }
                switch state {
                case .current, .ahead: return nil
                case .behind(let missing):
                    return "The database's schema is behind; it misses \(missing.joined(separator: ", "))."
                        + " Run \"heartguard migrate up\"."
                case .diverged(let revision):
                    return "The database's revision \(revision) is not the one that this program knows."
                }
            } catch {
                return "The database's schema cannot be read: \(error)"
            }
        }
    }
}

/// Asks the checks again and again and reports what they say.
struct ReadinessMonitor: Sendable {
    let checks: [ReadinessCheck]
    let health: HealthReporter
    let gate: ReadinessGate
    let logger: Logger
    /// Called after each round.
    var changed: @Sendable () -> Void = {}
    /// How long a stopped database may go unnoticed.
    var interval: Duration = .milliseconds(250)

    /// Runs until it is cancelled; the health is NOT_SERVING afterwards.
    func run() async {
        // What kept the service down when it was last logged: a reason that only counts on is not told again.
        var logged: String?
        while !Task.isCancelled {
            let failing = await firstProblem()
            let status = failing.map { HealthReporter.Status.notServing(reason: $0.problem) } ?? .serving
            if status == .serving { gate.open() }
            if health.report(status), failing == nil || failing?.name != logged {
                switch status {
                case .serving: logger.notice("serving")
                case .notServing(let reason): logger.warning("not serving", metadata: ["reason": "\(reason)"])
                }
                logged = failing?.name
            }
            changed()
            do { try await Task.sleep(for: interval) } catch { break }
        }
        health.report(.notServing(reason: "The service is stopping."))
    }

    private func firstProblem() async -> (name: String, problem: String)? {
        for check in checks {
            if let problem = await check.problem() { return (check.name, problem) }
        }
        return nil
    }
}
