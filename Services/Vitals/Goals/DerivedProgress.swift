internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// Progress that comes of readings: each reading of the goal's code, from the goal's first day on, whose value can be said in the goal's unit.
/// It is a function of the readings as they are; what changed of them is found by its place on the person's timeline.
struct DerivedProgress: Sendable {
    private let goal: UUID
    private let code: LOINCCode
    private let unit: UCUMUnit
    private let start: Instant

    /// Readings that are looked at at once.
    private static let page = 1_000

    /// `nil` if nothing comes of readings, or nothing more.
    init?(_ known: KnownGoal, by zones: TimeZoneDatabase) {
        guard known.isDerived, let metric = known.goal.metric else { return nil }
        goal = known.goal.id
        code = LOINCCode(stored: metric)
        unit = UCUMUnit(stored: known.goal.unit)
        start = known.goal.start(by: zones)
    }

    /// What a reading is worth; `nil` if it is no progress.
    func value(of reading: Observation) -> DecimalNumber? {
        guard reading.status != .enteredInError, reading.effectiveAt >= start else { return nil }
        let quantity: Quantity? = switch reading.measurement {
        case .quantity(let quantity): reading.code == code ? quantity : nil
        case .components(let components): components.first { $0.code == code }?.quantity
        }
        return quantity.flatMap { quantity in UnitConversion(from: quantity.unit, to: unit, of: code)?.convert(quantity.value) }
    }

    /// Has the readings that changed behind a place become progress; all there are, without one. Whether any had to be looked at.
    func derive(_ place: Int64?, of user: UserID, in transaction: Transaction) async throws -> Bool {
        // The timeline first: a later statement sees no less than it does.
        let now = try await transaction.first(.position(of: user))?.value ?? 0
        guard place != now else { return false }
        if let place {
            var position = place
            while true {
                let page = try await transaction.rows(.readings(of: code, user, changedBehind: position, limit: Self.page))
                try await put(page.map(\.value), of: user, in: transaction)
                guard page.count == Self.page, let last = page.last else { break }
                position = last.position
            }
        } else {
            var id = ObservationID.least
            while true {
                let page = try await transaction.rows(.readings(of: code, user, from: start, behind: id, limit: Self.page))
                try await put(page, of: user, in: transaction)
                guard page.count == Self.page, let last = page.last else { break }
                id = last.id
            }
        }
        _ = try await transaction.batch(
            .setDerived(through: now, in: goal, of: user), .settle(goal, of: user), .reachMilestones(of: goal, user))
        return true
    }

    private func put(_ readings: [Observation], of user: UserID, in transaction: Transaction) async throws {
        guard !readings.isEmpty else { return }
        let valued = readings.compactMap { reading in value(of: reading).map { (reading, $0) } }
        let worthless = readings.filter { value(of: $0) == nil }.map(\.id.uuid)
        _ = try await transaction.batch(
            .dropDerived(worthless, from: goal, of: user),
            .putDerived(
                valued.map { $0.0.id.uuid }, values: valued.map(\.1.numeric), at: valued.map(\.0.effectiveAt), in: goal, of: user))
    }
}
