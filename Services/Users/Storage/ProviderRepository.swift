internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// The providers, their hours, and what is taken of them.
struct ProviderRepository: Sendable {
    let postgres: Postgres

    /// `nil` also for one that can no longer be booked.
    func find(_ id: UUID) async throws(PostgresError) -> Provider? {
        try await postgres.first(.find(id))
    }

    /// Those that a search finds, the best rated first, at most so many behind a place.
    ///
    /// Most searches find enough among the best 3,000 of all. What so few fulfil that they are not there is asked of the index of terms, and
    /// then few have to be put in order. Either way by itself would take seconds for the other kind of search: which of the two it is,
    /// PostgreSQL cannot tell from the beginning of a word.
    func search(_ search: ProviderSearch, behind place: ProviderSearch.Place?, limit: Int) async throws(PostgresError) -> [Provider] {
        let best = try await postgres.rows(.amongBest(search, behind: place, limit: limit))
        guard best.count < limit, search.terms != nil else { return best }
        return try await postgres.rows(.among(all: search, behind: place, limit: limit))
    }

    /// The times at which a provider can be booked that lie within a period of 31 days at most and have not begun, the earliest first.
    func freeSlots(of provider: UUID, in period: Range<Instant>, limit: Int) async throws(PostgresError) -> [Slot] {
        try await postgres.rows(.freeSlots(of: provider, in: period, limit: limit))
    }

    /// Those who can be booked, the best rated first.
    func list(_ specialty: Provider.Specialty, limit: Int) async throws(PostgresError) -> [Provider] {
        try await postgres.rows(.list(specialty, limit: limit))
    }

    /// The hours that hold on a day, by weekday.
    func hours(of provider: UUID, on day: CivilDate) async throws(PostgresError) -> [ProviderHours] {
        try await postgres.rows(.hours(of: provider, on: day))
    }

    /// What is taken within a period of 93 days at most, whoever took it.
    func bookings(of provider: UUID, from start: Instant, to end: Instant) async throws(PostgresError) -> [ProviderBooking] {
        try await postgres.rows(.bookings(of: provider, from: start, to: end))
    }

    /// A person's appointments with a provider, the latest first.
    func appointments(with provider: UUID, of user: UserID, limit: Int) async throws(PostgresError) -> [Appointment] {
        try await postgres.rows(.appointments(with: provider, of: user, limit: limit), identity: .user(user.uuid))
    }
}

extension Statement<Provider> {
    static func find(_ id: UUID) -> Self {
        .reading("SELECT \(Provider.columns) FROM users.providers WHERE id = \(id) AND is_active", mayLag: true)
    }

    static func amongBest(_ search: ProviderSearch, behind place: ProviderSearch.Place?, limit: Int) -> Self {
        let found: Query = if let terms = search.terms { "WHERE search @@ lower(\(terms))::tsquery" } else { "" }
        return .reading(
            """
            SELECT \(Provider.columns) FROM (
                SELECT \(Provider.columns), search, coalesce(rating, 0) AS best FROM users.providers
                WHERE is_active \(search.bounds(behind: place)) ORDER BY coalesce(rating, 0) DESC, id DESC LIMIT 3000
            ) AS walked \(found) ORDER BY best DESC, id DESC LIMIT \(limit)
            """,
            mayLag: true)
    }

    static func among(all search: ProviderSearch, behind place: ProviderSearch.Place?, limit: Int) -> Self {
        .reading(
            """
            WITH found AS MATERIALIZED (
                SELECT \(Provider.columns), coalesce(rating, 0) AS best FROM users.providers
                WHERE is_active AND search @@ lower(\(search.terms ?? ""))::tsquery \(search.bounds(behind: place))
            )
            SELECT \(Provider.columns) FROM found ORDER BY best DESC, id DESC LIMIT \(limit)
            """,
            mayLag: true)
    }

    static func list(_ specialty: Provider.Specialty, limit: Int) -> Self {
        .reading(
            """
            SELECT \(Provider.columns) FROM users.providers
            WHERE specialty = \(specialty) AND is_active ORDER BY rating DESC, id LIMIT \(limit)
            """,
            mayLag: true)
    }
}

extension Statement<ProviderHours> {
    static func hours(of provider: UUID, on day: CivilDate) -> Self {
        .reading(
            """
            SELECT weekday, (extract(epoch FROM opens_at) / 60)::int AS opens_at_minute,
                   (extract(epoch FROM closes_at) / 60)::int AS closes_at_minute, slot_minutes, is_telehealth
            FROM users.provider_availability
            WHERE provider_id = \(provider) AND valid_from <= \(day) AND (valid_until IS NULL OR valid_until >= \(day))
            ORDER BY weekday, opens_at
            """,
            mayLag: true)
    }
}

extension Statement<Slot> {
    /// The hours of each local day become instants by the provider's time zone, and slots are cut from the first to the last: on the day on
    /// which clocks are changed there are fewer or more of them, and none that there is not.
    static func freeSlots(of provider: UUID, in period: Range<Instant>, limit: Int) -> Self {
        .reading(
            """
            WITH taken AS MATERIALIZED (
                SELECT starts_at, ends_at FROM users.provider_bookings(\(provider), \(period.lowerBound), \(period.upperBound))
            ), slots AS (
                SELECT starts_at, starts_at + make_interval(mins => a.slot_minutes) AS ends_at, a.is_telehealth
                FROM users.providers p JOIN users.provider_availability a ON a.provider_id = p.id
                CROSS JOIN generate_series(
                    ((\(period.lowerBound))::timestamptz AT TIME ZONE p.time_zone)::date::timestamp,
                    ((\(period.upperBound))::timestamptz AT TIME ZONE p.time_zone)::date::timestamp, interval '1 day') AS day
                CROSS JOIN LATERAL generate_series(
                    (day + a.opens_at) AT TIME ZONE p.time_zone,
                    (day + a.closes_at) AT TIME ZONE p.time_zone - make_interval(mins => a.slot_minutes),
                    make_interval(mins => a.slot_minutes)) AS starts_at
                WHERE p.id = \(provider) AND p.is_active AND a.weekday = extract(isodow FROM day)
                  AND day >= a.valid_from AND (a.valid_until IS NULL OR day <= a.valid_until)
            )
            SELECT DISTINCT ON (starts_at) starts_at, ends_at, is_telehealth FROM slots s
            WHERE starts_at >= \(period.lowerBound) AND starts_at > clock_timestamp() AND ends_at <= \(period.upperBound)
              AND NOT EXISTS (SELECT FROM taken t WHERE t.starts_at < s.ends_at AND t.ends_at > s.starts_at)
            ORDER BY starts_at, ends_at, is_telehealth LIMIT \(limit)
            """)
    }
}

extension Statement<ProviderBooking> {
    static func bookings(of provider: UUID, from start: Instant, to end: Instant) -> Self {
        .reading("SELECT starts_at, ends_at FROM users.provider_bookings(\(provider), \(start), \(end))")
    }
}

extension Statement<Appointment> {
    static func appointments(with provider: UUID, of user: UserID, limit: Int) -> Self {
        .reading(
            """
            SELECT \(Appointment.columns) FROM users.appointments
            WHERE user_id = \(user.uuid) AND provider_id = \(provider) ORDER BY starts_at DESC LIMIT \(limit)
            """)
    }
}
