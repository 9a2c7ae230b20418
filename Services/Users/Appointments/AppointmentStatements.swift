internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// What a provider offers at a time.
struct ProviderOffer: RowDecodable, Sendable {
    let timeZone: String
    let offersTelehealth: Bool
    let acceptsInsurance: Bool
    let isPast: Bool
    let isTooFar: Bool
    let isInHours: Bool
    let isTelehealthOnly: Bool

    init(row: Row) throws(PostgresError) {
        timeZone = try row.decode("time_zone")
        offersTelehealth = try row.decode("offers_telehealth")
        acceptsInsurance = try row.decode("accepts_insurance")
        isPast = try row.decode("is_past")
        isTooFar = try row.decode("is_too_far")
        isInHours = try row.decode("is_in_hours")
        isTelehealthOnly = try row.decode("is_telehealth_only")
    }
}

/// What stands in the way of a booking.
struct BookingObstacle: RowDecodable, Sendable {
    let isTaken: Bool
    /// When the last of the holds in the way is over; `nil` if something stands there.
    let heldUntil: Instant?

    init(row: Row) throws(PostgresError) {
        isTaken = try row.decode("is_taken")
        heldUntil = try row.decode("held_until")
    }
}

/// An appointment whose row is locked.
struct LockedAppointment: RowDecodable, Sendable {
    let appointment: Appointment
    let hasBegun: Bool

    init(row: Row) throws(PostgresError) {
        appointment = try Appointment(row: row)
        hasBegun = try row.decode("has_begun")
    }
}

/// Where a reminder sends its reader.
struct Visit: RowDecodable, Sendable {
    let provider: String
    let localTime: String

    init(row: Row) throws(PostgresError) {
        provider = try row.decode("provider")
        localTime = try row.decode("local_time")
    }
}

extension Statement<Void> {
    /// A person's holds are counted one after the other.
    static func lockHolds(of user: UserID) -> Self {
        .advisoryLock("users.holds", of: user.uuid)
    }

    static func lockBookings(of provider: UUID) -> Self {
        .advisoryLock("users.bookings", of: provider)
    }

    /// Puts the entry of an appointment in its person's calendar, under the appointment's id, or changes it to how the appointment is now.
    static func follow(_ id: UUID, of user: UserID) -> Self {
        .writing(
            """
            INSERT INTO users.calendar_events AS e (user_id, id, kind, title, description, location, starts_at, ends_at, time_zone,
                                                    reminder_minutes, status, appointment_id)
            SELECT a.user_id, a.id, 'appointment', left('Appointment with ' || concat_ws(' ', p.title, p.name), 200), a.reason,
                   CASE WHEN a.is_telehealth THEN 'Video call' ELSE left(nullif(concat_ws(', ', p.clinic, p.address, p.city), ''), 500) END,
                   a.starts_at, a.ends_at, a.time_zone, a.reminder_minutes,
                   CASE a.status WHEN 'confirmed' THEN 'confirmed' WHEN 'cancelled' THEN 'cancelled' ELSE 'done' END, a.id
            FROM users.appointments a JOIN users.providers p ON p.id = a.provider_id WHERE a.user_id = \(user.uuid) AND a.id = \(id)
            ON CONFLICT (user_id, id) DO UPDATE
            SET title = excluded.title, location = excluded.location, starts_at = excluded.starts_at, ends_at = excluded.ends_at,
                status = excluded.status, version = e.version + 1
            """)
    }

    /// A reminder that was not sent will not be.
    static func cancelReminders(of appointment: UUID, _ user: UserID) -> Self {
        .writing(
            """
            UPDATE users.notifications SET status = 'cancelled'
            WHERE user_id = \(user.uuid) AND status = 'pending' AND starts_with(dedupe_key, \("appointment:\(appointment.text):"))
            """)
    }
}

extension Statement<Scalar<Int64>> {
    /// How many times a person holds.
    static func holds(of user: UserID) -> Self {
        .reading(
            """
            SELECT count(*) AS holds FROM users.appointments
            WHERE user_id = \(user.uuid) AND status = 'requested' AND hold_expires_at > clock_timestamp()
            """)
    }
}

extension Statement<ProviderOffer> {
    /// A time is in the provider's hours if it begins and ends with slots of the same hours.
    static func offer(of provider: UUID, at time: Range<Instant>) -> Self {
        .reading(
            """
            WITH asked AS (SELECT (\(time.lowerBound))::timestamptz AS starts_at, (\(time.upperBound))::timestamptz AS ends_at), hours AS (
                SELECT bool_and(a.is_telehealth) AS is_telehealth
                FROM asked CROSS JOIN users.providers p JOIN users.provider_availability a ON a.provider_id = p.id
                CROSS JOIN LATERAL (SELECT (asked.starts_at AT TIME ZONE p.time_zone)::date AS day) AS local
                CROSS JOIN LATERAL (SELECT (day + a.opens_at) AT TIME ZONE p.time_zone AS opens, (day + a.closes_at) AT TIME ZONE p.time_zone AS closes) AS open
                WHERE p.id = \(provider) AND a.weekday = extract(isodow FROM day) AND day >= a.valid_from
                  AND (a.valid_until IS NULL OR day <= a.valid_until) AND opens <= asked.starts_at AND asked.ends_at <= closes
                  AND mod(extract(epoch FROM asked.starts_at - opens), 60 * a.slot_minutes) = 0
                  AND mod(extract(epoch FROM asked.ends_at - asked.starts_at), 60 * a.slot_minutes) = 0
            )
            SELECT p.time_zone, p.offers_telehealth, p.accepts_insurance, asked.starts_at <= clock_timestamp() AS is_past,
                   asked.starts_at > clock_timestamp() + interval '1 year' AS is_too_far, hours.is_telehealth IS NOT NULL AS is_in_hours,
                   coalesce(hours.is_telehealth, false) AS is_telehealth_only
            FROM users.providers p CROSS JOIN asked CROSS JOIN hours WHERE p.id = \(provider) AND p.is_active
            """)
    }
}

extension Statement<Scalar<UUID>> {
    /// A policy, kept from being taken out before the commit. No row if the person has none of this id, or none is meant.
    static func keepInsurance(_ id: UUID?, of user: UserID) -> Self {
        .writing("SELECT id FROM users.insurance_info WHERE user_id = \(user.uuid) AND id = \(id) FOR KEY SHARE")
    }
}

extension Statement<BookingObstacle> {
    /// Ends the holds that are over, and tells what is left in the way besides one appointment.
    static func endHolds(of provider: UUID, within time: Range<Instant>, besides appointment: UUID?) -> Self {
        .writing(
            """
            SELECT is_taken, held_until FROM users.end_holds(\(provider), \(time.lowerBound), \(time.upperBound), \(appointment))
            """)
    }
}

extension Statement<LockedAppointment> {
    static func lock(_ id: UUID, of user: UserID) -> Self {
        .writing(
            """
            SELECT \(Appointment.columns), starts_at <= clock_timestamp() AS has_begun
            FROM users.appointments WHERE user_id = \(user.uuid) AND id = \(id) FOR UPDATE
            """)
    }
}

extension Statement<Visit> {
    static func visit(_ id: UUID, of user: UserID) -> Self {
        .reading(
            """
            SELECT concat_ws(' ', p.title, p.name) AS provider, to_char(a.starts_at AT TIME ZONE a.time_zone, 'YYYY-MM-DD HH24:MI') AS local_time
            FROM users.appointments a JOIN users.providers p ON p.id = a.provider_id WHERE a.user_id = \(user.uuid) AND a.id = \(id)
            """)
    }
}

extension Statement<Appointment> {
    static func appointment(_ clientID: ClientID, of user: UserID) -> Self {
        .reading("SELECT \(Appointment.columns) FROM users.appointments WHERE user_id = \(user.uuid) AND client_id = \(clientID.text)")
    }

    static func list(
        of user: UserID, _ statuses: [Appointment.Status], in period: Range<Instant>, behind place: (at: Instant, id: UUID)?, limit: Int
    ) -> Self {
        let chosen: Query = statuses.isEmpty ? "" : "AND \(Appointment.effectiveStatus) = ANY(\(statuses.map(\.rawValue)))"
        let rest: Query = if let place { "AND (starts_at, id) < (\(place.at), \(place.id))" } else { "" }
        return .reading(
            """
            SELECT \(Appointment.columns) FROM users.appointments
            WHERE user_id = \(user.uuid) AND starts_at >= \(period.lowerBound) AND starts_at < \(period.upperBound) \(chosen) \(rest)
            ORDER BY starts_at DESC, id DESC LIMIT \(limit)
            """)
    }

    static func hold(
        _ wish: AppointmentWish, timeZone: String, isTelehealth: Bool, code: String, life: Duration, of user: UserID
    ) -> Self {
        .writing(
            """
            INSERT INTO users.appointments (user_id, id, provider_id, insurance_id, appointment_type, starts_at, ends_at, time_zone, is_telehealth,
                                            reason, confirmation_code, client_id, reminder_minutes, hold_expires_at)
            VALUES (\(user.uuid), \(UUIDv7.make()), \(wish.provider), \(wish.insurance), \(wish.type), \(wish.time.lowerBound), \(wish.time.upperBound),
                    \(timeZone), \(isTelehealth), \(wish.reason), \(code), \(wish.clientID.text),
                    \(wish.reminder.minutes), clock_timestamp() + make_interval(secs => \(life.wholeMicroseconds)::float8 / 1000000))
            RETURNING \(Appointment.columns)
            """)
    }

    /// What is no longer held has nothing that expires.
    static func move(_ id: UUID, of user: UserID, to status: Appointment.Status, reason: String?) -> Self {
        .writing(
            """
            UPDATE users.appointments
            SET status = new.state, hold_expires_at = NULL, version = version + 1,
                confirmed_at = CASE new.state WHEN 'confirmed' THEN clock_timestamp() ELSE confirmed_at END,
                completed_at = CASE new.state WHEN 'completed' THEN clock_timestamp() ELSE completed_at END,
                cancelled_at = CASE new.state WHEN 'cancelled' THEN clock_timestamp() END,
                cancelled_by = CASE new.state WHEN 'cancelled' THEN 'user' END,
                cancellation_reason = \(reason)
            FROM (SELECT \(status)::text AS state) AS new WHERE user_id = \(user.uuid) AND id = \(id)
            RETURNING \(Appointment.columns)
            """)
    }

    static func reschedule(_ id: UUID, of user: UserID, to time: Range<Instant>) -> Self {
        .writing(
            """
            UPDATE users.appointments SET starts_at = \(time.lowerBound), ends_at = \(time.upperBound), version = version + 1
            WHERE user_id = \(user.uuid) AND id = \(id)
            RETURNING \(Appointment.columns)
            """)
    }
}
