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
        let results = try await postgres.batch(
            [
                // Held until the commit, so that no device changes between this statement and the next.
                """
                SELECT id FROM vitals.user_devices
                WHERE user_id = \(user.uuid) AND id = ANY(\(devices)) AND is_active FOR SHARE
                """,
                // In the order of the keys, so that two replays of one batch wait for each other and never in a ring.
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
                // A statement of its own sees what others committed while the one before waited for them.
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
                """,
            ],
            identity: .user(user.uuid), tier: .normal)
        guard results[0].rows.count == devices.count else { throw VitalsError.noSuchDevice }
        let ids = try results[2].decode(as: Scalar<UUID>.self).map { ObservationID($0.value) }
        return Recorded(newCount: results[1].rowsAffected, ids: ids)
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
            """
            SELECT \(Observation.columns) FROM vitals.vitals
            WHERE user_id = \(user.uuid) AND metric = \(code.text) AND effective_at >= \(period.start)
              AND (effective_at, id) < (\(place.effectiveAt), \(place.id.uuid))
            ORDER BY effective_at DESC, id DESC LIMIT \(limit)
            """,
            as: Observation.self, identity: .user(user.uuid), tier: .normal, mode: .readOnly)
    }

    /// The newest reading of every code that the person has, by code.
    ///
    /// Skips from code to code along the index `vitals_newest`: costs a few index look-ups per code, however many
    /// readings there are.
    func latest(of user: UserID) async throws -> [Observation] {
        try await postgres.rows(
            """
            WITH RECURSIVE codes (code) AS (
                (SELECT metric FROM vitals.vitals WHERE user_id = \(user.uuid) ORDER BY metric LIMIT 1)
                UNION ALL
                SELECT (SELECT v.metric FROM vitals.vitals v
                        WHERE v.user_id = \(user.uuid) AND v.metric > c.code ORDER BY v.metric LIMIT 1)
                FROM codes c WHERE c.code IS NOT NULL
            )
            SELECT \(Observation.columns) FROM codes CROSS JOIN LATERAL (\(Self.newest(of: user))) AS newest ORDER BY metric
            """,
            as: Observation.self, identity: .user(user.uuid), mode: .readOnly)
    }

    /// The newest reading of each of these codes, by code.
    func latest(_ codes: [LOINCCode], of user: UserID) async throws -> [Observation] {
        let distinct = Array(Set(codes.map(\.text)))
        return try await postgres.rows(
            """
            SELECT \(Observation.columns) FROM unnest(\(distinct)) AS codes (code)
            CROSS JOIN LATERAL (\(Self.newest(of: user))) AS newest ORDER BY metric
            """,
            as: Observation.self, identity: .user(user.uuid), mode: .readOnly)
    }

    private static func newest(of user: UserID) -> Query {
        """
        SELECT \(Observation.columns) FROM vitals.vitals
        WHERE user_id = \(user.uuid) AND metric = codes.code ORDER BY effective_at DESC, id DESC LIMIT 1
        """
    }
}
