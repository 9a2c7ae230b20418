internal import FHIR
internal import FoundationEssentials
internal import Postgres
internal import Time

/// What the last part of an import came to.
struct KeptImportPart: RowDecodable {
    let importID: UUID
    let place: Int64
    let outcomes: [ImportOutcome]
    /// What devices are here that the import has told of under other ids, by those.
    let devices: [String: UUID]

    init(row: Row) throws(PostgresError) {
        importID = try row.decode("import_id")
        place = try row.decode("place")
        outcomes = try row.decode("outcomes", as: [Int16].self).compactMap { ImportOutcome(rawValue: Int32($0)) }
        let devices: JSONB = try row.decode("devices")
        do {
            self.devices = try JSONDecoder().decode([String: UUID].self, from: Data(devices.text.utf8))
        } catch {
            throw PostgresError(.decoding, "Column “devices” holds no devices.")
        }
    }
}

/// A reading that is there, and which of those asked for it is.
struct KeptReading: RowDecodable {
    let position: Int64
    let observation: Observation
    /// Whether it said something else here before.
    let wasChanged: Bool

    init(row: Row) throws(PostgresError) {
        position = try row.decode("ordinal")
        observation = try Observation(row: row)
        wasChanged = try row.decode("was_changed")
    }
}

extension Statement<KeptImportPart> {
    static func lockImportPart(of user: UserID) -> Self {
        .writing("SELECT import_id, place, outcomes, devices FROM vitals.import_parts WHERE user_id = \(user.uuid) FOR UPDATE")
    }
}

extension Statement<Void> {
    /// No row if the person had a part before.
    static func beginImportPart(_ part: ImportPart) -> Self {
        .writing(
            """
            INSERT INTO vitals.import_parts (user_id, import_id, place, outcomes) VALUES (\(part.user.uuid), \(part.importID), \(part.place), '{}')
            ON CONFLICT (user_id) DO NOTHING
            """)
    }

    static func endImportPart(_ part: ImportPart, _ outcomes: [ImportOutcome], devices: [String: UUID]) throws -> Self {
        let devices = JSONB(String(decoding: try JSONEncoder().encode(devices), as: UTF8.self))
        return .writing(
            """
            UPDATE vitals.import_parts SET import_id = \(part.importID), place = \(part.place), outcomes = \(outcomes.map { Int16($0.rawValue) }),
                devices = \(devices)
            WHERE user_id = \(part.user.uuid)
            """)
    }

    /// Changes nothing if the person has a device with its id or serial number, or `limit` devices.
    static func importDevice(_ device: NewDevice, as id: DeviceID, isActive: Bool, of user: UserID, atMost limit: Int) -> Self {
        .writing(
            """
            INSERT INTO vitals.user_devices (user_id, id, device_type, platform, name, serial_number, is_active)
            SELECT \(user.uuid), \(id.uuid), \(device.kind), \(device.platform.text), \(device.name.text), \(device.serialNumber.text), \(isActive)
            WHERE (SELECT count(*) FROM vitals.user_devices WHERE user_id = \(user.uuid)) < \(limit)
            ON CONFLICT DO NOTHING
            """)
    }
}

extension Statement<Scalar<Int64>> {
    static func countMedications(of user: UserID) -> Self {
        .reading("SELECT count(*) FROM vitals.medications WHERE user_id = \(user.uuid)")
    }
}

extension Statement<Scalar<Int64>> {
    /// How many samples are there, and stay as they are, though they say something else.
    ///
    /// - Parameter samples: in their order.
    static func countDiffering(_ samples: [Sample], in series: SeriesKey) -> Self {
        let (first, last) = (samples.first?.at ?? .now(), samples.last?.at ?? .now())
        return .reading(
            """
            SELECT count(*)
            FROM unnest(\(samples.map(\.at)), \(samples.map(\.sequence.value)), \(samples.map(\.value)), \(samples.map(\.revision)))
                 AS n (at, sequence, value, revision)
            JOIN vitals.device_timeseries t
              ON t.user_id = \(series.user.uuid) AND t.device_id = \(series.device.uuid) AND t.metric_type = \(series.metric.text)
             AND t."timestamp" = n.at AND t.sequence = n.sequence AND t."timestamp" >= \(first) AND t."timestamp" <= \(last)
            WHERE t.revision >= n.revision AND t.value <> n.value
            """,
            tier: .normal)
    }
}

extension Statement<Scalar<Bool>> {
    /// No row if there is none.
    static func hasDevice(_ id: DeviceID, of user: UserID) -> Self {
        .reading("SELECT true FROM vitals.user_devices WHERE user_id = \(user.uuid) AND id = \(id.uuid)")
    }
}

extension Statement<ReadingChange> {
    /// The places of those that are new. They take the last of the numbers that the timeline has come to. A device that is none of the person's is
    /// left out.
    static func importReadings(_ columns: ObservationColumns, _ readings: [ImportedObservation], of user: UserID) -> Self {
        .writing(
            """
            INSERT INTO vitals.vitals (user_id, id, metric, value, unit, components, effective_at, utc_offset_minutes, source, device_id, sequence,
                                       version, status, status_reason, changed_at, position)
            SELECT \(user.uuid), n.id, n.metric, n.value, n.unit, n.components, n.effective_at, n.utc_offset_minutes, n.source,
                   (SELECT d.id FROM vitals.user_devices d WHERE d.user_id = \(user.uuid) AND d.id = n.device_id), n.sequence,
                   n.version, n.status, n.reason, CASE WHEN n.version > 1 THEN clock_timestamp() END,
                   (SELECT t.position FROM vitals.timelines t WHERE t.user_id = \(user.uuid)) - n.behind
            FROM unnest(\(columns.ids), \(columns.metrics), \(columns.values), \(columns.units), \(columns.components), \(columns.effectiveAt),
                        \(columns.utcOffsets), \(columns.sources), \(columns.devices), \(columns.sequences), \(columns.behind),
                        \(readings.map(\.version)), \(readings.map(\.status.rawValue)), \(readings.map(\.reason)))
                 AS n (id, metric, value, unit, components, effective_at, utc_offset_minutes, source, device_id, sequence, behind, version, status, reason)
            ORDER BY n.id
            ON CONFLICT DO NOTHING RETURNING metric, effective_at, id
            """,
            tier: .normal)
    }
}

extension Statement<KeptReading> {
    /// Of each of the identities the reading that has it: the id, or what numbers it.
    static func keptReadings(_ identities: [ImportedIdentity], of user: UserID) -> Self {
        let devices: [UUID?] = identities.map { $0.device?.uuid }
        return .reading(
            """
            SELECT n.ordinal - 1 AS ordinal, \(Observation.columns),
                   EXISTS (SELECT FROM vitals.observation_versions o WHERE o.user_id = \(user.uuid) AND o.observation_id = kept.id) AS was_changed
            FROM unnest(\(identities.map(\.id.uuid)), \(identities.map(\.source.text)), \(devices), \(identities.map(\.sequence.value)))
                 WITH ORDINALITY AS n (new_id, new_source, new_device, new_sequence, ordinal)
            CROSS JOIN LATERAL (
                SELECT \(Observation.columns) FROM vitals.vitals WHERE user_id = \(user.uuid) AND id = n.new_id
                UNION ALL
                SELECT \(Observation.columns) FROM vitals.vitals
                WHERE user_id = \(user.uuid) AND device_id = n.new_device AND sequence = n.new_sequence AND id <> n.new_id
                UNION ALL
                SELECT \(Observation.columns) FROM vitals.vitals
                WHERE user_id = \(user.uuid) AND device_id IS NULL AND source = n.new_source AND sequence = n.new_sequence AND id <> n.new_id
                LIMIT 1
            ) AS kept
            ORDER BY n.ordinal
            """,
            tier: .normal)
    }
}
