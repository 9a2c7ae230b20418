internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// People's calendars. Entries of their own are made, changed and taken out here; those that follow an appointment change with it and in no other way.
struct PersonalCalendar: Sendable {
    let postgres: Postgres

    /// Of a person's own entries, so that a calendar is read in a moment.
    static let mostEvents: Int64 = 5_000
    static let mostExported = 2_000

    /// Makes an entry. The same client's id again gives what it made.
    ///
    /// Throws `CalendarError.idReused`, `.tooManyEvents`, and `UsersError.accountGone`.
    func make(_ entry: CalendarEntry, _ clientID: ClientID, of user: UserID) async throws -> CalendarEvent {
        do {
            return try await postgres.transaction(identity: .user(user.uuid)) { transaction in
                let (_, known, count) = try await transaction.batch(
                    .lockCalendar(of: user), .event(clientID, of: user), .ownEvents(of: user))
                if let known = try known.first() {
                    // Later versions are what the person has made of it.
                    guard known.version > 1 || CalendarEntry(known) == entry else { throw CalendarError.idReused }
                    return known
                }
                guard try count.first()?.value ?? 0 < Self.mostEvents else { throw CalendarError.tooManyEvents }
                let event = entry.applied(to: CalendarEvent(id: UUIDv7.make(), clientID: clientID))
                try await transaction.execute(.insert(event, of: user))
                return event
            }
        } catch let error as PostgresError where error.code == .foreignKeyViolation {
            throw UsersError.accountGone
        }
    }

    /// Changes an entry and counts its version up; a change that changes nothing leaves it alone.
    ///
    /// Throws `CalendarError.notFound`, `.followsAppointment`, `.changed`, and what `change` throws.
    func update(
        _ id: UUID, of user: UserID, expectedVersion: Int64?, _ change: (CalendarEntry) throws -> CalendarEntry
    ) async throws -> CalendarEvent {
        try await postgres.transaction(identity: .user(user.uuid)) { transaction in
            guard let current = try await transaction.first(.lockEvent(id, of: user)) else { throw CalendarError.notFound }
            guard current.appointmentID == nil else { throw CalendarError.followsAppointment }
            if let expectedVersion, expectedVersion != current.version { throw CalendarError.changed }
            var changed = try change(CalendarEntry(current)).applied(to: current)
            guard changed != current else { return current }
            guard try await transaction.execute(.replace(changed, of: user)) == 1 else { throw CalendarError.notFound }
            changed.version += 1
            return changed
        }
    }

    /// Throws `CalendarError.notFound` or `.followsAppointment`.
    func remove(_ id: UUID, of user: UserID) async throws {
        try await postgres.transaction(identity: .user(user.uuid)) { transaction in
            guard let current = try await transaction.first(.lockEvent(id, of: user)) else { throw CalendarError.notFound }
            guard current.appointmentID == nil else { throw CalendarError.followsAppointment }
            try await transaction.execute(.remove(id, of: user.uuid, from: CalendarEventRepository.table))
        }
    }

    /// What falls in a time or may come again in it, the earliest first, at most so many behind a place.
    func list(
        of user: UserID, in period: Range<Instant>, withCancelled: Bool, behind place: (at: Instant, id: UUID)? = nil, limit: Int
    ) async throws(PostgresError) -> [CalendarEvent] {
        try await postgres.rows(
            .events(of: user, in: period, withCancelled: withCancelled, behind: place, limit: limit), identity: .user(user.uuid))
    }

    /// Throws `CalendarError.tooManyToExport`.
    func export(of user: UserID, in period: Range<Instant>) async throws -> [CalendarEvent] {
        let events = try await list(of: user, in: period, withCancelled: true, limit: Self.mostExported + 1)
        guard events.count <= Self.mostExported else { throw CalendarError.tooManyToExport }
        return events
    }
}

extension Statement<Void> {
    /// A person's entries are counted and made one after the other.
    static func lockCalendar(of user: UserID) -> Self {
        .advisoryLock("users.calendar", of: user.uuid)
    }
}

extension Statement<Scalar<Int64>> {
    static func ownEvents(of user: UserID) -> Self {
        .reading("SELECT count(*) AS events FROM users.calendar_events WHERE user_id = \(user.uuid) AND appointment_id IS NULL")
    }
}

extension Statement<CalendarEvent> {
    static func event(_ clientID: ClientID, of user: UserID) -> Self {
        .reading(
            """
            SELECT \(CalendarEvent.columns) FROM users.calendar_events
            WHERE user_id = \(user.uuid) AND external_source = \(CalendarEvent.app) AND external_id = \(clientID.text)
            """)
    }

    static func lockEvent(_ id: UUID, of user: UserID) -> Self {
        .writing("SELECT \(CalendarEvent.columns) FROM users.calendar_events WHERE user_id = \(user.uuid) AND id = \(id) FOR UPDATE")
    }

    /// What has no length falls in the time in which it begins.
    static func events(
        of user: UserID, in period: Range<Instant>, withCancelled: Bool, behind place: (at: Instant, id: UUID)?, limit: Int
    ) -> Self {
        let rest: Query = if let place { "AND (starts_at, id) > (\(place.at), \(place.id))" } else { "" }
        return .reading(
            """
            SELECT \(CalendarEvent.columns) FROM users.calendar_events
            WHERE user_id = \(user.uuid) AND starts_at < \(period.upperBound) AND (status <> 'cancelled' OR \(withCancelled))
              AND (recurrence_rule IS NOT NULL
                   OR (starts_at > \(period.lowerBound - CalendarEntry.longest - .seconds(1)) AND (ends_at > \(period.lowerBound) OR starts_at = \(period.lowerBound))))
              \(rest)
            ORDER BY starts_at, id LIMIT \(limit)
            """)
    }
}
