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

/// A time at which a provider can be booked.
struct Slot: Hashable, Sendable, RowDecodable {
    let startsAt: Instant
    let endsAt: Instant
    /// Only by video.
    let isTelehealth: Bool

    init(startsAt: Instant, endsAt: Instant, isTelehealth: Bool = false) {
        self.startsAt = startsAt
        self.endsAt = endsAt
        self.isTelehealth = isTelehealth
    }

    init(row: Row) throws(PostgresError) {
        startsAt = try row.decode("starts_at")
        endsAt = try row.decode("ends_at")
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
