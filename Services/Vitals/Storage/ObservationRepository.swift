internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// The readings in `vitals.vitals`. Every statement runs under its person's identity and names that person too, so that
/// the key's first column is always known.
struct ObservationRepository: Sendable {
    let postgres: Postgres

    /// What became of a batch: for each reading, in its order, the id that it is kept under.
    struct Recorded: Sendable {
        let newCount: Int
        let ids: [ObservationID]
    }

    /// Keeps a batch, all or none, in one round trip. What is there already is left as it is.
    ///
    /// Throws `VitalsError.noSuchDevice` unless every device named is the person's and active.
    func record(_ observations: [NewObservation], of user: UserID) async throws -> Recorded {
        let devices = Array(Set(observations.compactMap { $0.device?.uuid }))
        let columns = try ObservationColumns(observations)
        let (held, insertion, kept) = try await postgres.batch(
            .hold(devices, of: user), .insert(columns, from: devices, of: user), .ids(of: columns, user),
            identity: .user(user.uuid))
        guard held.rowsAffected == devices.count else { throw VitalsError.noSuchDevice }
        return Recorded(newCount: insertion.rowsAffected, ids: try kept.rows().map { ObservationID($0.value) })
    }

    /// Where a page of readings ends. The next one begins after it.
    struct Place: Hashable, Sendable {
        let effectiveAt: Instant
        let id: ObservationID
    }

    /// Readings of one code within a period, newest first, from a place on.
    ///
    /// The rows before the place are found by the key's order alone, so readings that arrive meanwhile shift nothing.
    func list(
        _ code: LOINCCode, of user: UserID, in period: Period, after place: Place?, limit: Int
    ) async throws -> [Observation] {
        // No reading sorts below this place at the period's end, so the first page needs no text of its own.
        let place = place ?? Place(effectiveAt: period.end, id: .least)
        return try await postgres.rows(
            .list(code, of: user, in: period, after: place, limit: limit), identity: .user(user.uuid))
    }

    /// The newest reading of every code that the person has, by code. Costs one look-up in an index per code, however many
    /// readings there are.
    func latest(of user: UserID) async throws -> [Observation] {
        try await postgres.rows(.latest(of: user), identity: .user(user.uuid))
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

    /// In the order of the keys, so that two replays of one batch wait for each other and never in a ring.
    static func insert(_ columns: ObservationColumns, from devices: [UUID], of user: UserID) -> Self {
        .writing(
            """
            INSERT INTO vitals.vitals (user_id, id, metric, value, unit, components, effective_at,
                                       utc_offset_minutes, source, device_id, sequence)
            SELECT \(user.uuid), n.id, n.metric, n.value, n.unit, n.components, n.effective_at,
                   n.utc_offset_minutes, n.source, n.device_id, n.sequence
            FROM unnest(\(columns.ids), \(columns.metrics), \(columns.values), \(columns.units),
                        \(columns.components), \(columns.effectiveAt), \(columns.utcOffsets), \(columns.sources),
                        \(columns.devices), \(columns.sequences))
                 AS n (id, metric, value, unit, components, effective_at, utc_offset_minutes, source, device_id,
                       sequence)
            WHERE (SELECT count(*) FROM vitals.user_devices d
                   WHERE d.user_id = \(user.uuid) AND d.id = ANY(\(devices)) AND d.is_active) = \(devices.count)
            ORDER BY n.device_id, n.source, n.sequence
            ON CONFLICT DO NOTHING
            """,
            tier: .normal)
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

extension Statement<Observation> {
    static func list(
        _ code: LOINCCode, of user: UserID, in period: Period, after place: ObservationRepository.Place, limit: Int
    ) -> Self {
        .reading(
            """
            SELECT \(Observation.columns) FROM vitals.vitals
            WHERE user_id = \(user.uuid) AND metric = \(code.text) AND effective_at >= \(period.start)
              AND (effective_at, id) < (\(place.effectiveAt), \(place.id.uuid))
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
                (SELECT \(Observation.columns) FROM vitals.vitals WHERE user_id = \(user.uuid)
                 ORDER BY metric, effective_at DESC, id DESC LIMIT 1)
                UNION ALL
                SELECT \(Observation.columns) FROM (SELECT metric AS code FROM newest) AS last
                CROSS JOIN LATERAL (
                    SELECT \(Observation.columns) FROM vitals.vitals
                    WHERE user_id = \(user.uuid) AND metric > last.code
                    ORDER BY metric, effective_at DESC, id DESC LIMIT 1) AS next
            )
            SELECT \(Observation.columns) FROM newest ORDER BY metric
            """)
    }
}
