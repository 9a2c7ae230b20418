internal import Application
internal import Postgres
internal import Time

extension Picture.MediaType: PostgresDecodable, PostgresEncodable {}

/// A picture that is kept, without its bytes.
struct Avatar: Hashable, Sendable, RowDecodable {
    let mediaType: Picture.MediaType
    let width: Int32
    let height: Int32
    /// In hexadecimal digits.
    let sha256: String
    let updatedAt: Instant

    /// The columns that the initialiser reads.
    static let columns: Query = "media_type, width, height, encode(sha256(content), 'hex') AS sha256, updated_at"

    init(row: Row) throws(PostgresError) {
        mediaType = try row.decode("media_type")
        width = try row.decode("width")
        height = try row.decode("height")
        sha256 = try row.decode("sha256")
        updatedAt = try row.decode("updated_at")
    }
}

/// One picture a person, in `users.avatars`: a table of its own, so that nobody who reads an account reads half a megabyte along.
struct AvatarRepository: Sendable {
    let postgres: Postgres

    struct Kept: RowDecodable {
        let avatar: Avatar
        let content: [UInt8]

        init(row: Row) throws(PostgresError) {
            avatar = try Avatar(row: row)
            content = try row.decode("content")
        }
    }

    /// Keeps a picture in the place of the one that is there; the same picture again changes nothing.
    ///
    /// Throws `UsersError.accountGone`.
    func put(_ picture: Picture, of user: UserID) async throws -> Avatar {
        do {
            let (_, kept) = try await postgres.batch(.put(picture, of: user), .avatar(of: user), identity: .user(user.uuid))
            guard let avatar = try kept.first() else { throw PostgresError(.decoding, "A picture that was kept was not returned.") }
            return avatar
        } catch let error as PostgresError where error.code == .foreignKeyViolation {
            throw UsersError.accountGone
        }
    }

    func find(of user: UserID) async throws(PostgresError) -> Kept? {
        try await postgres.first(.picture(of: user), identity: .user(user.uuid))
    }

    /// `false` if there was none.
    func remove(of user: UserID) async throws(PostgresError) -> Bool {
        try await postgres.execute(.removeAvatar(of: user), identity: .user(user.uuid)) == 1
    }
}

extension Statement<Void> {
    static func put(_ picture: Picture, of user: UserID) -> Self {
        .writing(
            """
            INSERT INTO users.avatars AS known (user_id, purpose, media_type, width, height, content)
            VALUES (\(user.uuid), 'profile', \(picture.mediaType), \(picture.width), \(picture.height), \(picture.content))
            ON CONFLICT (user_id, purpose) DO UPDATE
            SET media_type = excluded.media_type, width = excluded.width, height = excluded.height, content = excluded.content
            WHERE known.content <> excluded.content
            """)
    }

    static func removeAvatar(of user: UserID) -> Self {
        .writing("DELETE FROM users.avatars WHERE user_id = \(user.uuid)")
    }
}

extension Statement<Avatar> {
    static func avatar(of user: UserID) -> Self {
        .reading("SELECT \(Avatar.columns) FROM users.avatars WHERE user_id = \(user.uuid)")
    }
}

extension Statement<AvatarRepository.Kept> {
    static func picture(of user: UserID) -> Self {
        .reading("SELECT \(Avatar.columns), content FROM users.avatars WHERE user_id = \(user.uuid)")
    }
}
