internal import FoundationEssentials
internal import Postgres
internal import Time

extension Observation: RowDecodable {
    /// The columns that the initialiser reads.
    static let columns: Query = """
        id, metric, value, unit, components, effective_at, utc_offset_minutes, source, device_id, sequence, recorded_at, status, version,
        status_reason
        """

    init(row: Row) throws(PostgresError) {
        id = ObservationID(try row.decode("id"))
        code = LOINCCode(stored: try row.decode("metric"))
        measurement = try Measurement(row: row)
        effectiveAt = try row.decode("effective_at")
        utcOffset = UTCOffset(stored: try row.decode("utc_offset_minutes"))
        source = ObservationSource(stored: try row.decode("source"))
        device = try row.decode("device_id", as: UUID?.self).map { DeviceID($0) }
        sequence = SequenceNumber(stored: try row.decode("sequence"))
        recordedAt = try row.decode("recorded_at")
        status = try row.decode("status")
        version = try row.decode("version")
        reason = try row.decode("status_reason")
    }
}

extension ObservationStatus: PostgresDecodable, PostgresEncodable {}

extension ObservationVersion: RowDecodable {
    init(row: Row) throws(PostgresError) {
        observation = try Observation(row: row)
        changedAt = try row.decode("changed_at")
    }
}

extension Measurement {
    /// One of the two is there; the table checks it.
    init(row: Row) throws(PostgresError) {
        if let components = try row.decode("components", as: JSONB?.self) {
            self = .components(try StoredComponent.components(components))
        } else {
            self = .quantity(
                Quantity(
                    value: DecimalNumber(stored: try row.decode("value")),
                    unit: UCUMUnit(stored: try row.decode("unit"))))
        }
    }
}
