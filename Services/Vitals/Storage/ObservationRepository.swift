internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// The readings in `vitals.vitals`. Every statement runs under its person's identity and names that person too, so that
/// the key's first column is always known.
struct ObservationRepository: Sendable {
    let postgres: Postgres
    private let judge: AlertJudge

    init(postgres: Postgres) {
        self.postgres = postgres
        judge = AlertJudge(postgres: postgres)
    }

    /// What became of a batch: for each reading, in its order, the id that it is kept under.
    struct Recorded: Sendable {
        let newCount: Int
        let ids: [ObservationID]
    }

    /// Keeps a batch, all or none, and has the person's rules judge what is new of it in the same transaction. What is there already is left
    /// as it is, whatever it says by now.
    ///
    /// Throws `VitalsError.noSuchDevice` unless every device named is the person's and active.
    func record(_ observations: [NewObservation], of user: UserID) async throws -> Recorded {
        let batch = try Batch(observations)
        // Most people have no rule for what they record, and none of it is there yet: then all is said in one round trip.
        if let recorded = try await recordUnjudged(batch, of: user) { return recorded }
        return try await postgres.transaction(identity: .user(user.uuid), tier: .normal) { transaction in
            let (_, held, insertion, kept, rules) = try await transaction.batch(
                .advanceTimeline(of: user, by: batch.count), .hold(batch.devices, of: user), .insert(batch, of: user),
                .ids(of: batch.columns, user), .rules(judging: batch.codes, from: batch.first, through: batch.last, of: user))
            guard held.rowsAffected == batch.devices.count else { throw VitalsError.noSuchDevice }
            try await judge.judge(try insertion.rows(), by: try rules.rows(), of: user, in: transaction)
            return Recorded(newCount: insertion.rowsAffected, ids: try kept.rows().map { ObservationID($0.value) })
        }
    }

    /// Keeps what is new of a batch. `nil`, and nothing is kept, if a rule judges some of it, a device is not the person's, or nothing is new.
    private func recordUnjudged(_ batch: Batch, of user: UserID) async throws -> Recorded? {
        let unjudged: Query = "NOT EXISTS (SELECT FROM \(AlertRule.judging(batch.codes, from: batch.first, through: batch.last, of: user)))"
        let identity = Identity.user(user.uuid)
        let (advance, insert) = (
            Statement<Void>.advanceTimeline(of: user, by: batch.count, if: unjudged),
            Statement<Void>.insert(batch, of: user, if: "\(Query.holdsTimeline(of: user)) AND \(unjudged)")
        )
        let insertion = batch.devices.isEmpty
            ? try await postgres.batch(advance, insert, identity: identity).1
            : try await postgres.batch(advance, .hold(batch.devices, of: user), insert, identity: identity).2
        switch insertion.rowsAffected {
        case 0: return nil
        case batch.count: return Recorded(newCount: batch.count, ids: batch.columns.ids.map { ObservationID($0) })
        case let newCount:
            let kept = try await postgres.rows(.ids(of: batch.columns, user), identity: .user(user.uuid))
            return Recorded(newCount: newCount, ids: kept.map { ObservationID($0.value) })
        }
    }

    /// Readings that are kept together, each under an id of its own.
    struct Batch {
        let columns: ObservationColumns
        let devices: [UUID]
        let codes: [LOINCCode]
        let first: Instant
        let last: Instant

        var count: Int { columns.ids.count }

        init(_ observations: [NewObservation]) throws {
            columns = try ObservationColumns(observations)
            devices = Array(Set(observations.compactMap { $0.device?.uuid }))
            codes = Array(Set(observations.map(\.code)))
            let times = observations.map(\.effectiveAt)
            first = times.min() ?? .now()
            last = times.max() ?? .now()
        }

        /// The index that finds those that are there already; without one every unique index is asked. With devices and without, a reading
        /// has another.
        var arbiter: Query {
            let count = columns.devices.count { $0 != nil }
            if count == 0 { return "(user_id, source, sequence) WHERE device_id IS NULL" }
            return count == columns.devices.count ? "(user_id, device_id, sequence) WHERE device_id IS NOT NULL" : ""
        }
    }

    /// Has a reading say something else, keeps what it said, and has the person's rules judge it anew, in one transaction. Answers the reading
    /// as it is then. A second call with the same change finds it made, and changes nothing.
    ///
    /// Throws `VitalsError` `.noSuchObservation`, `.observationChanged` if the reading has another version, `.observationRetracted` if it was
    /// retracted; and what `change` throws.
    func change(
        _ id: ObservationID, of user: UserID, expectedVersion: Int64, _ change: @Sendable (Observation) throws -> ObservationChange
    ) async throws -> Observation {
        try await postgres.transaction(identity: .user(user.uuid), tier: .normal) { transaction in
            // The timeline is the person's lock: nobody else writes their readings until the commit.
            let (_, found) = try await transaction.batch(.advanceTimeline(of: user, by: 1), .find(id, of: user))
            guard let current = try found.first() else { throw VitalsError.noSuchObservation }
            let change = try change(current)
            // One is taken from what is there: what a caller says may be the greatest number there is.
            if current.version - 1 == expectedVersion, change.isMade(in: current) { return current }
            guard current.version == expectedVersion else { throw VitalsError.observationChanged(current.version) }
            guard current.status != .enteredInError else { throw VitalsError.observationRetracted }
            let changed = try await transaction.change(current, to: change, of: user)
            try await judge.judge([current.change, changed.change], of: user, in: transaction)
            return changed
        }
    }

    /// All that a reading said, oldest first, and what it says, at most so many behind a version. Throws `VitalsError.noSuchObservation`.
    func history(of id: ObservationID, behind version: Int64, limit: Int, _ user: UserID) async throws -> [ObservationVersion] {
        let versions = try await postgres.rows(.history(of: id, behind: version, limit: limit, user), identity: .user(user.uuid))
        guard !versions.isEmpty || version > 0 else { throw VitalsError.noSuchObservation }
        return versions
    }

    /// What the readings of a code, or of a part of compound ones, were on each of some days, by unit, and by source where sources are merged.
    func summaries(
        _ code: LOINCCode, _ component: LOINCCode?, on days: LocalDays, merging merge: SourceMerge?, of user: UserID
    ) async throws -> [UnitSummary] {
        try await postgres.rows(try .summaries(code, component, on: days, merging: merge, of: user), identity: .user(user.uuid))
    }

    /// Where a page of readings ends. The next one begins after it.
    struct Place: Hashable, Sendable {
        let effectiveAt: Instant
        let id: ObservationID
    }

    /// Readings of one code within a period, newest first, from a place on.
    ///
    /// With a day, only those whose own clocks showed that day. The rows before the place are found by the key's order alone, so readings that arrive meanwhile shift nothing.
    func list(
        _ code: LOINCCode, of user: UserID, in period: Period, on day: CivilDate? = nil, after place: Place?, limit: Int
    ) async throws -> [Observation] {
        // No reading sorts below this place at the period's end, so the first page needs no text of its own.
        let place = place ?? Place(effectiveAt: period.end, id: .least)
        return try await postgres.rows(
            .list(code, of: user, in: period, on: day, after: place, limit: limit), identity: .user(user.uuid))
    }

    /// The newest reading of every code that the person has, by code. Costs one look-up in an index per code, however many
    /// readings there are.
    func latest(of user: UserID) async throws -> [Observation] {
        try await postgres.rows(.latest(of: user), identity: .user(user.uuid))
    }
}

extension Transaction {
    /// Has a reading of a person whose timeline is held say something else, and keeps what it said. No rule has judged it then.
    nonisolated(nonsending) func change(_ observation: Observation, to change: ObservationChange, of user: UserID) async throws -> Observation {
        let (_, changing) = try await batch(
            .keepVersion(of: observation.id, user), try .change(observation.id, to: change, of: user))
        guard let changed = try changing.first() else { throw VitalsError.noSuchObservation }
        return changed
    }
}

extension Statement<Void> {
    /// Holds those devices that are the person's and active until the commit, so that none changes meanwhile.
    static func hold(_ devices: [UUID], of user: UserID) -> Self {
        .writing(
            """
            SELECT id FROM vitals.user_devices
            WHERE user_id = \(user.uuid) AND id = ANY(\(devices)) AND is_active FOR SHARE
            """)
    }

    /// Takes the next numbers of a person's changes, and holds the person's row of them until the commit; or does neither where a condition does not
    /// hold.
    static func advanceTimeline(of user: UserID, by count: Int, if condition: Query = "true") -> Self {
        .writing(
            """
            INSERT INTO vitals.timelines AS known (user_id, position) SELECT \(user.uuid), \(Int64(count)) WHERE \(condition)
            ON CONFLICT (user_id) DO UPDATE SET position = known.position + excluded.position
            """)
    }

    /// Keeps what a reading says now.
    static func keepVersion(of id: ObservationID, _ user: UserID) -> Self {
        .writing(
            """
            INSERT INTO vitals.observation_versions (user_id, observation_id, version, value, unit, components, effective_at,
                                                     utc_offset_minutes, status, status_reason, changed_at)
            SELECT user_id, id, version, value, unit, components, effective_at, utc_offset_minutes, status, status_reason, changed_at
            FROM vitals.vitals WHERE user_id = \(user.uuid) AND id = \(id.uuid)
            """)
    }
}

extension Query {
    /// Whether this transaction has advanced the person's timeline, and so holds it. A condition for the advance may have changed since.
    static func holdsTimeline(of user: UserID) -> Query {
        "EXISTS (SELECT FROM vitals.timelines t WHERE t.user_id = \(user.uuid) AND t.xmin = pg_current_xact_id()::xid)"
    }
}

extension Statement {
    /// Keeps what is new of a batch under the last of the numbers that the person's timeline has come to. Who sends it has advanced that, so those who
    /// write a person's readings take turns: rows need no order against deadlocks.
    fileprivate static func insertion(
        _ batch: ObservationRepository.Batch, of user: UserID, if condition: Query, returning: Query
    ) -> Self {
        let (columns, devices) = (batch.columns, batch.devices)
        let areRegistered: Query = devices.isEmpty
            ? "true"
            : """
            (SELECT count(*) FROM vitals.user_devices d
             WHERE d.user_id = \(user.uuid) AND d.id = ANY(\(devices)) AND d.is_active) = \(devices.count)
            """
        return .writing(
            """
            INSERT INTO vitals.vitals (user_id, id, metric, value, unit, components, effective_at,
                                       utc_offset_minutes, source, device_id, sequence, position)
            SELECT \(user.uuid), n.id, n.metric, n.value, n.unit, n.components, n.effective_at,
                   n.utc_offset_minutes, n.source, n.device_id, n.sequence,
                   (SELECT t.position FROM vitals.timelines t WHERE t.user_id = \(user.uuid)) - n.behind
            FROM unnest(\(columns.ids), \(columns.metrics), \(columns.values), \(columns.units),
                        \(columns.components), \(columns.effectiveAt), \(columns.utcOffsets), \(columns.sources),
                        \(columns.devices), \(columns.sequences), \(columns.behind))
                 AS n (id, metric, value, unit, components, effective_at, utc_offset_minutes, source, device_id,
                       sequence, behind)
            WHERE \(areRegistered) AND \(condition)
            ON CONFLICT \(batch.arbiter) DO NOTHING \(returning)
            """,
            tier: .normal)
    }
}

extension Statement<Void> {
    /// None is new where a condition does not hold.
    static func insert(_ batch: ObservationRepository.Batch, of user: UserID, if condition: Query) -> Self {
        .insertion(batch, of: user, if: condition, returning: "")
    }
}

extension Statement<ReadingChange> {
    /// The places of those that are new.
    static func insert(_ batch: ObservationRepository.Batch, of user: UserID) -> Self {
        .insertion(batch, of: user, if: "true", returning: "RETURNING metric, effective_at, id")
    }
}

extension Statement<Scalar<UUID>> {
    /// What the readings are kept under, in their order. A statement of its own, behind the insertion, sees what others
    /// committed while that waited for them.
    static func ids(of columns: ObservationColumns, _ user: UserID) -> Self {
        .reading(
            """
            SELECT kept.id
            FROM unnest(\(columns.sources), \(columns.devices), \(columns.sequences))
                 WITH ORDINALITY AS n (source, device_id, sequence, position)
            CROSS JOIN LATERAL (
                SELECT v.id FROM vitals.vitals v
                WHERE v.user_id = \(user.uuid) AND v.device_id = n.device_id AND v.sequence = n.sequence
                UNION ALL
                SELECT v.id FROM vitals.vitals v
                WHERE n.device_id IS NULL AND v.device_id IS NULL
                  AND v.user_id = \(user.uuid) AND v.source = n.source AND v.sequence = n.sequence
            ) AS kept (id)
            ORDER BY n.position
            """)
    }
}

extension Statement<ObservationVersion> {
    static func history(of id: ObservationID, behind version: Int64, limit: Int, _ user: UserID) -> Self {
        .reading(
            """
            SELECT v.id, v.metric, o.value, o.unit, o.components, o.effective_at, o.utc_offset_minutes, v.source, v.device_id, v.sequence,
                   v.recorded_at, o.status, o.version, o.status_reason, coalesce(o.changed_at, v.recorded_at) AS changed_at
            FROM vitals.vitals v
            CROSS JOIN LATERAL (
                SELECT old.value, old.unit, old.components, old.effective_at, old.utc_offset_minutes, old.status, old.version,
                       old.status_reason, old.changed_at
                FROM vitals.observation_versions old WHERE old.user_id = \(user.uuid) AND old.observation_id = v.id
                UNION ALL
                SELECT v.value, v.unit, v.components, v.effective_at, v.utc_offset_minutes, v.status, v.version, v.status_reason, v.changed_at
            ) AS o
            WHERE v.user_id = \(user.uuid) AND v.id = \(id.uuid) AND o.version > \(version) ORDER BY o.version LIMIT \(limit)
            """)
    }
}

extension Statement<Observation> {
    static func find(_ id: ObservationID, of user: UserID) -> Self {
        .reading("SELECT \(Observation.columns) FROM vitals.vitals WHERE user_id = \(user.uuid) AND id = \(id.uuid)")
    }

    /// It takes the last number that the timeline has come to.
    static func change(_ id: ObservationID, to change: ObservationChange, of user: UserID) throws -> Self {
        .writing(
            """
            UPDATE vitals.vitals SET
                value = \(change.measurement.quantity?.value.numeric), unit = \(change.measurement.quantity?.unit.text),
                components = \(try change.measurement.components.map(StoredComponent.json)), effective_at = \(change.effectiveAt),
                utc_offset_minutes = \(change.utcOffset.minutes), status = \(change.status), status_reason = \(change.reason),
                version = version + 1, changed_at = clock_timestamp(),
                position = (SELECT t.position FROM vitals.timelines t WHERE t.user_id = \(user.uuid))
            WHERE user_id = \(user.uuid) AND id = \(id.uuid)
            RETURNING \(Observation.columns)
            """)
    }

    static func list(
        _ code: LOINCCode, of user: UserID, in period: Period, on day: CivilDate?, after place: ObservationRepository.Place, limit: Int
    ) -> Self {
        let ownDay: Query =
            if let day { "AND (effective_at AT TIME ZONE 'UTC' + make_interval(mins => utc_offset_minutes::int))::date = \(day)" } else { "" }
        return .reading(
            """
            SELECT \(Observation.columns) FROM vitals.vitals
            WHERE user_id = \(user.uuid) AND metric = \(code.text) AND effective_at >= \(period.start)
              AND (effective_at, id) < (\(place.effectiveAt), \(place.id.uuid)) AND status <> 'entered_in_error' \(ownDay)
            ORDER BY effective_at DESC, id DESC LIMIT \(limit)
            """,
            tier: .normal)
    }

    /// Skips from code to code along the index `vitals_newest`: in its order the first reading behind those of one code is
    /// the newest of the next.
    static func latest(of user: UserID) -> Self {
        .reading(
            """
            WITH RECURSIVE newest AS (
                (SELECT \(Observation.columns) FROM vitals.vitals WHERE user_id = \(user.uuid) AND status <> 'entered_in_error'
                 ORDER BY metric, effective_at DESC, id DESC LIMIT 1)
                UNION ALL
                SELECT \(Observation.columns) FROM (SELECT metric AS code FROM newest) AS last
                CROSS JOIN LATERAL (
                    SELECT \(Observation.columns) FROM vitals.vitals
                    WHERE user_id = \(user.uuid) AND metric > last.code AND status <> 'entered_in_error'
                    ORDER BY metric, effective_at DESC, id DESC LIMIT 1) AS next
            )
            SELECT \(Observation.columns) FROM newest ORDER BY metric
            """)
    }
}
