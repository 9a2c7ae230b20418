internal import FoundationEssentials
internal import Postgres
internal import Time

/// A schedule of a medication, and from when until when it held.
struct HeldSchedule: Sendable {
    let medication: UUID
    let name: String
    let dosage: String
    let schedule: MedicationSchedule
    let days: MedicationSchedule.Days
    let from: Instant
    let until: Instant?

    /// The doses that were due within a period while the schedule held.
    func doses(in period: Period, by zones: TimeZoneDatabase) throws -> [Instant] {
        let (start, end) = (max(from, period.start), min(until ?? period.end, period.end))
        // A zone that the tz database does not have any more is taken for UTC: late is better than never.
        guard start < end else { return [] }
        return schedule.doses(in: try Period(start: start, end: end), on: days, by: zones.zone(schedule.zone) ?? .utc)
    }
}

enum DoseOutcome: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable { case taken, skipped }

/// What became of a dose.
struct RecordedDose: Hashable, Sendable {
    var id: UUID
    let medication: UUID
    /// When it was due; without it it was taken as needed.
    let scheduledAt: Instant?
    let outcome: DoseOutcome
    var at: Instant
    let note: String
}

/// A dose that was due, and what became of it.
struct DueDose: Sendable {
    let name: String
    let dosage: String
    let medication: UUID
    let scheduledAt: Instant
    let recorded: RecordedDose?
}

/// How far a person kept to a schedule.
struct AdherenceCount: Hashable, Sendable {
    let medication: UUID
    let name: String
    var due = 0
    var taken = 0
    var skipped = 0
    var missed: Int { due - taken - skipped }
}

extension HeldSchedule: RowDecodable {
    init(row: Row) throws(PostgresError) {
        medication = try row.decode("medication_id")
        name = try row.decode("name")
        dosage = try row.decode("dosage")
        schedule = try MedicationSchedule(stored: try row.decode("schedule"))
        days = MedicationSchedule.Days(first: try row.decode("starts_on"), last: try row.decode("ends_on"))
        from = try row.decode("holds_from")
        until = try row.decode("holds_until")
    }
}

extension RecordedDose: RowDecodable {
    /// The columns that the initialiser reads.
    static let columns: Query = "id, medication_id, scheduled_at, outcome, recorded_for, note"

    init(row: Row) throws(PostgresError) {
        id = try row.decode("id")
        medication = try row.decode("medication_id")
        scheduledAt = try row.decode("scheduled_at")
        outcome = try row.decode("outcome")
        at = try row.decode("recorded_for")
        note = try row.decode("note")
    }
}
