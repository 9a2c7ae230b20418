internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// Somebody whom people can be booked with. What everybody may read.
struct Provider: Hashable, Sendable {
    enum Specialty: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case cardiology, electrophysiology, endocrinology, nutrition, psychology, physiotherapy, other
        case generalPractice = "general_practice"
        case internalMedicine = "internal_medicine"
    }

    let id: UUID
    let name: String
    let title: String?
    let specialty: Specialty
    let qualifications: [String]
    let languages: [String]
    let biography: String
    let yearsExperience: Int32?
    let clinic: String?
    let city: String?
    let country: String?
    let timeZone: String
    let consultationFee: Numeric?
    let currency: String
    let rating: Numeric?
    let reviewCount: Int32
    let acceptsInsurance: Bool
    let offersTelehealth: Bool
}

extension Provider: RowDecodable {
    /// The columns that the initialiser reads.
    static let columns: Query = """
        id, name, title, specialty, qualifications, languages, biography, years_experience, clinic, city, country,
        time_zone, consultation_fee, currency, rating, review_count, accepts_insurance, offers_telehealth
        """

    init(row: Row) throws(PostgresError) {
        id = try row.decode("id")
        name = try row.decode("name")
        title = try row.decode("title")
        specialty = try row.decode("specialty")
        qualifications = try row.decode("qualifications")
        languages = try row.decode("languages")
        biography = try row.decode("biography")
        yearsExperience = try row.decode("years_experience")
        clinic = try row.decode("clinic")
        city = try row.decode("city")
        country = try row.decode("country")
        timeZone = try row.decode("time_zone")
        consultationFee = try row.decode("consultation_fee")
        currency = try row.decode("currency")
        rating = try row.decode("rating")
        reviewCount = try row.decode("review_count")
        acceptsInsurance = try row.decode("accepts_insurance")
        offersTelehealth = try row.decode("offers_telehealth")
    }
}

/// Hours of a weekday in which a provider can be seen, in the provider's time zone.
struct ProviderHours: Hashable, Sendable, RowDecodable {
    /// 1 is Monday.
    let weekday: Int16
    let opensAtMinute: Int32
    let closesAtMinute: Int32
    let slotMinutes: Int16
    let isTelehealth: Bool

    init(row: Row) throws(PostgresError) {
        weekday = try row.decode("weekday")
        opensAtMinute = try row.decode("opens_at_minute")
        closesAtMinute = try row.decode("closes_at_minute")
        slotMinutes = try row.decode("slot_minutes")
        isTelehealth = try row.decode("is_telehealth")
    }
}

/// A time at which a provider is taken; by whom is not told.
struct ProviderBooking: Hashable, Sendable, RowDecodable {
    let startsAt: Instant
    let endsAt: Instant

    init(startsAt: Instant, endsAt: Instant) {
        self.startsAt = startsAt
        self.endsAt = endsAt
    }

    init(row: Row) throws(PostgresError) {
        startsAt = try row.decode("starts_at")
        endsAt = try row.decode("ends_at")
    }
}

/// The providers, their hours, and what is taken of them.
struct ProviderRepository: Sendable {
    let postgres: Postgres

    func find(_ id: UUID) async throws(PostgresError) -> Provider? {
        try await postgres.first(.find(id))
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
        .reading("SELECT \(Provider.columns) FROM users.providers WHERE id = \(id)", mayLag: true)
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
