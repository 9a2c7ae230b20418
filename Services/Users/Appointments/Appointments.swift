internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// Appointments from the hold to what came of them. Each change is one transaction, with its entry in the person's calendar and its reminder.
///
/// That a provider sees one person at a time is a constraint of the table. A hold takes time as an appointment does, until a moment that
/// the database judges by its own clock; whoever wants the time then ends it. Those who want times of one provider come one after the other, by a lock,
/// which is what makes the constraint a wall that nobody runs into: two inserts that wait for each other at it would be a deadlock.
struct Appointments: Sendable {
    let postgres: Postgres
    let notifications: Notifications
    let providers: ProviderRepository
    /// How long a time is held.
    var holdLife = Duration.seconds(300)

    /// How many times one may hold at once, so that nobody keeps a provider's day.
    static let mostHolds: Int64 = 3
    /// How many free slots are offered to whom a time is refused.
    private static let offered = 5

    init(postgres: Postgres, holdLife: Duration = .seconds(300)) {
        self.postgres = postgres
        self.holdLife = holdLife
        notifications = Notifications(postgres: postgres)
        providers = ProviderRepository(postgres: postgres)
    }

    /// Why a time cannot be had; what is free instead is asked outside of the transaction.
    private enum Refusal: Error {
        case taken(until: Instant?)
        case outsideHours
        case inThePast
    }

    /// Holds a time. The same client's id again gives what it led to.
    ///
    /// Throws `AppointmentError` and `UsersError.accountGone`.
    func hold(_ wish: AppointmentWish, of user: UserID) async throws -> Appointment {
        try await explaining(wish.provider, wish.time) {
            try await postgres.transaction(identity: .user(user.uuid)) { transaction in
                let (_, _, known, holds, offer, insurance, obstacle) = try await transaction.batch(
                    .lockHolds(of: user), .lockBookings(of: wish.provider), .appointment(wish.clientID, of: user), .holds(of: user),
                    .offer(of: wish.provider, at: wish.time), .keepInsurance(wish.insurance, of: user),
                    .endHolds(of: wish.provider, within: wish.time, besides: nil))
                if let known = try known.first() {
                    guard wish.ledTo(known) else { throw AppointmentError.idReused }
                    return known
                }
                let found = try Self.accept(try offer.first(), obstacle.first())
                guard !wish.isTelehealth || found.offersTelehealth || found.isTelehealthOnly else { throw AppointmentError.noTelehealth }
                if wish.insurance != nil {
                    guard found.acceptsInsurance else { throw AppointmentError.noInsurance }
                    guard try insurance.first() != nil else { throw AppointmentError.insuranceNotFound }
                }
                guard try holds.first()?.value ?? 0 < Self.mostHolds else { throw AppointmentError.tooManyHolds }
                return try await transaction.only(
                    .hold(
                        wish, timeZone: found.timeZone, isTelehealth: wish.isTelehealth || found.isTelehealthOnly,
                        code: .makeConfirmationCode(), life: holdLife, of: user))
            }
        }
    }

    /// Does what leaves an appointment at its time. Doing it again changes nothing.
    ///
    /// Throws `AppointmentError`.
    func move(_ id: UUID, of user: UserID, by move: AppointmentMove, reason: String? = nil) async throws -> Appointment {
        try await postgres.transaction(identity: .user(user.uuid)) { transaction in
            guard let locked = try await transaction.first(.lock(id, of: user)) else { throw AppointmentError.notFound }
            let known = locked.appointment
            guard let status = try known.status.after(move, hasBegun: locked.hasBegun) else { return known }
            let changed = try await transaction.only(.move(id, of: user, to: status, reason: reason))
            // What was merely held is in no calendar.
            guard known.status != .requested || status == .confirmed else { return changed }
            try await transaction.execute(.follow(id, of: user))
            if status == .confirmed { try await remind(of: changed, user, transaction) }
            if status == .cancelled { try await transaction.execute(.cancelReminders(of: id, user)) }
            return changed
        }
    }

    /// Moves an appointment to another time of its provider.
    ///
    /// Throws as `hold` does, and `.changed` if there is another version than the one expected.
    func reschedule(_ id: UUID, of user: UserID, to time: Range<Instant>, expectedVersion: Int64?) async throws -> Appointment {
        guard let provider = try await find(id, of: user)?.providerID else { throw AppointmentError.notFound }
        return try await explaining(provider, time) {
            try await postgres.transaction(identity: .user(user.uuid)) { transaction in
                let (_, locked, offer, obstacle) = try await transaction.batch(
                    .lockBookings(of: provider), .lock(id, of: user), .offer(of: provider, at: time),
                    .endHolds(of: provider, within: time, besides: id))
                guard let locked = try locked.first() else { throw AppointmentError.notFound }
                let known = locked.appointment
                if known.status == .confirmed, known.startsAt..<known.endsAt == time { return known }
                if let expectedVersion, expectedVersion != known.version { throw AppointmentError.changed }
                _ = try known.status.after(.reschedule, hasBegun: locked.hasBegun)
                let found = try Self.accept(try offer.first(), obstacle.first())
                guard !known.isTelehealth || found.offersTelehealth || found.isTelehealthOnly else { throw AppointmentError.noTelehealth }
                let changed = try await transaction.only(.reschedule(id, of: user, to: time))
                try await transaction.execute(.follow(id, of: user))
                try await transaction.execute(.cancelReminders(of: id, user))
                try await remind(of: changed, user, transaction)
                return changed
            }
        }
    }

    func find(_ id: UUID, of user: UserID) async throws(PostgresError) -> Appointment? {
        try await AppointmentRepository(postgres: postgres).find(id, of: user)
    }

    /// Those that begin within a period and have one of the statuses, the latest first; all statuses if none is given.
    func list(
        of user: UserID, _ statuses: [Appointment.Status], in period: Range<Instant>, behind place: (at: Instant, id: UUID)?, limit: Int
    ) async throws(PostgresError) -> [Appointment] {
        try await postgres.rows(.list(of: user, statuses, in: period, behind: place, limit: limit), identity: .user(user.uuid))
    }

    /// What is offered, if the time can be had.
    private static func accept(_ offer: ProviderOffer?, _ obstacle: BookingObstacle?) throws -> ProviderOffer {
        guard let offer else { throw AppointmentError.providerNotFound }
        guard !offer.isPast else { throw Refusal.inThePast }
        guard !offer.isTooFar else { throw AppointmentError.tooFarAhead }
        guard offer.isInHours else { throw Refusal.outsideHours }
        if let obstacle, obstacle.isTaken { throw Refusal.taken(until: obstacle.heldUntil) }
        return offer
    }

    /// Says with a refusal what is free instead. The constraint refuses what the lock has let through, if anything ever does.
    private func explaining(
        _ provider: UUID, _ time: Range<Instant>, _ body: nonisolated(nonsending) () async throws -> Appointment
    ) async throws -> Appointment {
        do {
            return try await body()
        } catch Refusal.taken(let until) {
            throw AppointmentError.taken(next: try await next(provider, from: time.lowerBound), freeAfter: until.map { $0 - .now() })
        } catch Refusal.outsideHours {
            throw AppointmentError.outsideHours(next: try await next(provider, from: time.lowerBound))
        } catch Refusal.inThePast {
            throw AppointmentError.inThePast(next: try await next(provider, from: .now()))
        } catch let error as PostgresError where error.code == .exclusionViolation {
            throw AppointmentError.taken(next: try await next(provider, from: time.lowerBound), freeAfter: nil)
        } catch let error as PostgresError where error.code == .foreignKeyViolation {
            throw UsersError.accountGone
        }
    }

    private func next(_ provider: UUID, from start: Instant) async throws -> [Slot] {
        try await providers.freeSlots(of: provider, in: start..<(start + .seconds(SlotList.mostDays * 86_400)), limit: Self.offered)
    }

    private func remind(of appointment: Appointment, _ user: UserID, _ transaction: Transaction) async throws {
        let visit = try await transaction.only(.visit(appointment.id, of: user))
        try await notifications.add(
            UserNotification(
                id: UUIDv7.make(), kind: .appointmentReminder, channel: .inApp, title: "You have an appointment",
                body: "With \(visit.provider) on \(visit.localTime) (\(appointment.timeZone)).",
                dedupeKey: "appointment:\(appointment.id.text):\(appointment.version)",
                scheduledAt: appointment.startsAt - .seconds(60 * Int64(appointment.reminderMinutes)), expiresAt: appointment.endsAt),
            to: user, in: transaction)
    }
}

extension Transaction {
    /// The row of a statement that always has one.
    nonisolated(nonsending) fileprivate func only<Value: RowDecodable>(_ statement: Statement<Value>) async throws(PostgresError) -> Value {
        guard let value = try await first(statement) else { throw PostgresError(.decoding, "A statement gave no row where it has to give one.") }
        return value
    }
}

extension String {
    /// What a provider's desk asks for: twelve letters and digits, without those that are taken for others. One in 10^18, so no two are the same.
    static func makeConfirmationCode() -> String {
        var generator = SystemRandomNumberGenerator()
        return String((0..<12).compactMap { _ in "ABCDEFGHJKLMNPQRSTUVWXYZ23456789".randomElement(using: &generator) })
    }
}
