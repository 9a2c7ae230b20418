internal import FoundationEssentials
internal import Postgres
internal import Time

/// A batch of readings as columns, the form in which one statement takes any number of rows (`unnest`).
struct ObservationColumns {
    let ids: [UUID]
    let metrics: [String]
    let values: [Numeric?]
    let units: [String?]
    let components: [JSONB?]
    let effectiveAt: [Instant]
    let utcOffsets: [Int16]
    let sources: [String]
    let devices: [UUID?]
    let sequences: [Int64]
    /// How far from the last of the batch each is.
    let behind: [Int64]

    /// Gives each reading an id of its own, in their order, unless they have ids.
    init(_ observations: [NewObservation], ids: [UUID]? = nil) throws {
        self.ids = ids ?? observations.map { _ in ObservationID.make().uuid }
        metrics = observations.map(\.code.text)
        values = observations.map { $0.measurement.quantity?.value.numeric }
        units = observations.map { $0.measurement.quantity?.unit.text }
        components = try observations.map { try $0.measurement.components.map(StoredComponent.json) }
        effectiveAt = observations.map(\.effectiveAt)
        utcOffsets = observations.map(\.utcOffset.minutes)
        sources = observations.map(\.source.text)
        devices = observations.map { $0.device?.uuid }
        sequences = observations.map(\.sequence.value)
        behind = observations.indices.map { Int64(observations.count - 1 - $0) }
    }
}

extension Measurement {
    var quantity: Quantity? {
        if case .quantity(let quantity) = self { quantity } else { nil }
    }

    var components: [Component]? {
        if case .components(let components) = self { components } else { nil }
    }
}

/// A component as the column `components` holds it. The value is a string: a JSON number would be read as binary
/// floating point by most programs.
struct StoredComponent: Codable {
    let code: String
    let value: String
    let unit: String

    static func json(_ components: [Component]) throws -> JSONB {
        let stored = components.map {
            StoredComponent(code: $0.code.text, value: $0.quantity.value.text, unit: $0.quantity.unit.text)
        }
        return JSONB(String(decoding: try JSONEncoder().encode(stored), as: UTF8.self))
    }

    static func components(_ json: JSONB) throws(PostgresError) -> [Component] {
        do {
            return try JSONDecoder().decode([StoredComponent].self, from: Data(json.text.utf8)).map { stored in
                guard let value = Numeric(stored.value) else {
                    throw PostgresError(.decoding, "Column “components” holds a value that is no decimal number.")
                }
                return Component(
                    code: LOINCCode(stored: stored.code),
                    quantity: Quantity(value: DecimalNumber(stored: value), unit: UCUMUnit(stored: stored.unit)))
            }
        } catch let error as PostgresError {
            throw error
        } catch {
            throw PostgresError(.decoding, "Column “components” does not hold components.")
        }
    }
}
