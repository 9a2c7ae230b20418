internal import Application
internal import Foundation
internal import Time

/// What a person says about themselves.
struct Profile: Equatable, Sendable {
    var name: PersonName
    var phone: PhoneNumber?
    var avatarURL: AvatarURL?
    var birthDate: BirthDate?
    var sex: Sex
    var timeZone: TimeZoneName

    init(
        name: PersonName, phone: PhoneNumber? = nil, avatarURL: AvatarURL? = nil, birthDate: BirthDate? = nil,
        sex: Sex = .unspecified, timeZone: TimeZoneName = .utc
    ) {
        self.name = name
        self.phone = phone
        self.avatarURL = avatarURL
        self.birthDate = birthDate
        self.sex = sex
        self.timeZone = timeZone
    }
}

/// Sex as recorded at birth. The raw value is what the table holds.
enum Sex: String, CaseIterable, Sendable {
    case unspecified, female, male, other, unknown
}

/// What a person is called.
struct PersonName: Hashable, Sendable {
    let text: String

    static let maxCharacters = 200

    init(_ given: String) throws(InvalidValue) {
        let text = given.trimmed
        guard !text.isEmpty else { throw InvalidValue("is needed") }
        guard text.unicodeScalars.count <= Self.maxCharacters else {
            throw InvalidValue("has more than \(Self.maxCharacters) characters")
        }
        guard !text.hasControlCharacter else { throw InvalidValue("holds a control character") }
        self.text = text
    }

    /// A name that the table holds.
    init(stored: String) { text = stored }
}

/// A telephone number as E.164 writes it.
struct PhoneNumber: Hashable, Sendable {
    let text: String

    init(_ given: String) throws(InvalidValue) {
        let digits = given.utf8.dropFirst()
        guard given.hasPrefix("+"), (7...15).contains(digits.count), digits.allSatisfy(\.isASCIIDigit),
            digits.first != UInt8(ascii: "0")
        else { throw InvalidValue("is not an E.164 number such as +4930123456") }
        text = given
    }

    /// A number that the table holds.
    init(stored: String) { text = stored }
}

/// Where a picture of the person is.
struct AvatarURL: Hashable, Sendable {
    let text: String

    static let maxBytes = 2_048

    init(_ given: String) throws(InvalidValue) {
        guard given.utf8.count <= Self.maxBytes else { throw InvalidValue("has more than \(Self.maxBytes) bytes") }
        guard given.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), let parts = URLComponents(string: given),
            parts.scheme?.lowercased() == "https", let host = parts.host, !host.isEmpty,
            parts.user == nil, parts.password == nil
        else { throw InvalidValue("is not an https URL") }
        text = given
    }

    /// A URL that the table holds.
    init(stored: String) { text = stored }
}

/// The day a person was born.
struct BirthDate: Hashable, Sendable {
    let date: CivilDate

    /// `YYYY-MM-DD`, from 1900 on and not after today in the time zone that is furthest ahead (UTC+14).
    init(_ given: String) throws(InvalidValue) {
        try self.init(given, now: .now())
    }

    init(_ given: String, now: Instant) throws(InvalidValue) {
        guard let date = CivilDate(given) else { throw InvalidValue("is not a date such as 1984-02-29") }
        let today = CivilDate(daysSinceEpoch: (now + .seconds(14 * 3_600)).microsecondsSinceEpoch / 86_400_000_000)
        guard date.year >= 1_900, date <= today else { throw InvalidValue("is not between 1900-01-01 and today") }
        self.date = date
    }

    /// A date that the table holds.
    init(stored: CivilDate) { date = stored }

    var text: String { date.description }
}

/// The name of a time zone in the IANA database, such as `Europe/Berlin`.
struct TimeZoneName: Hashable, Sendable {
    let text: String

    static let utc = TimeZoneName(stored: "UTC")

    init(_ given: String) throws(InvalidValue) {
        // Foundation would also take "GMT+2" and abbreviations, which are offsets and not places.
        guard given == "UTC" || given.contains("/"), given.utf8.count <= 64,
            given.utf8.allSatisfy({ $0.isASCIILetterOrDigit || "/_+-".utf8.contains($0) }),
            TimeZone(identifier: given) != nil
        else { throw InvalidValue("is not the name of an IANA time zone such as Europe/Berlin") }
        text = given
    }

    /// A name that the table holds.
    init(stored: String) { text = stored }
}
