internal import Postgres
internal import Time
internal import Tokens

extension User: RowDecodable {
    /// The columns that the initialiser reads.
    static let columns: Query = """
        id, email, role, clinician_since, name, phone, avatar_url, birth_date, sex, time_zone, created_at, updated_at, version
        """

    init(row: Row) throws(PostgresError) {
        id = UserID(try row.decode("id"))
        email = EmailAddress(stored: try row.decode("email"))
        role = try .stored(row)
        profile = Profile(
            name: PersonName(stored: try row.decode("name")),
            phone: try row.decode("phone", as: String?.self).map(PhoneNumber.init(stored:)),
            avatarURL: try row.decode("avatar_url", as: String?.self).map(AvatarURL.init(stored:)),
            birthDate: try row.decode("birth_date", as: CivilDate?.self).map(BirthDate.init(stored:)),
            // The table has NULL for what was never said.
            sex: try row.decode("sex", as: Sex?.self) ?? .unspecified,
            timeZone: TimeZoneName(stored: try row.decode("time_zone")))
        createdAt = try row.decode("created_at")
        updatedAt = try row.decode("updated_at")
        version = try row.decode("version")
    }
}

extension Sex: PostgresDecodable {}
extension ConsentKind: PostgresDecodable, PostgresEncodable {}
extension AccessClaims.Role: PostgresDecodable, PostgresEncodable {
    /// Of the columns `role` and `clinician_since`: programs that know of no clinicians read the first alone.
    static func stored(_ row: Row) throws(PostgresError) -> AccessClaims.Role {
        try row.decode("clinician_since", as: Instant?.self) == nil ? row.decode("role") : .clinician
    }
}

extension Sex {
    /// What the column holds; nothing for what was never said.
    var column: String? { self == .unspecified ? nil : rawValue }
}
