internal import Application
internal import Postgres

/// A setting of a person: one value for each category and key.
struct Preference: Hashable, Sendable, RowDecodable {
    let category: String
    let key: String
    let value: JSONB
    /// Grows by one with every change.
    let version: Int64

    init(category: String, key: String, value: JSONB, version: Int64 = 1) {
        self.category = category
        self.key = key
        self.value = value
        self.version = version
    }

    init(row: Row) throws(PostgresError) {
        category = try row.decode("category")
        key = try row.decode("key")
        value = try row.decode("value")
        version = try row.decode("version")
    }
}

/// The rows of `users.user_preferences`. Every statement runs as the person whose rows it touches.
struct PreferenceRepository: Sendable {
    static let table: Query = "users.user_preferences"
    let postgres: Postgres

    /// Sets values, all or none, in the place of those that are there.
    func set(_ preferences: [Preference], of user: UserID) async throws(PostgresError) {
        try await postgres.execute(.set(preferences, of: user), identity: .user(user.uuid))
    }

    /// What is set, by category and key, at most so many behind a place; of one category, if it is given.
    func list(
        of user: UserID, in category: String? = nil, behind place: PreferenceName? = nil, limit: Int
    ) async throws(PostgresError) -> [Preference] {
        try await postgres.rows(.list(of: user, in: category, behind: place, limit: limit), identity: .user(user.uuid))
    }

    /// `false` if it was not set.
    func remove(_ key: String, in category: String, of user: UserID) async throws(PostgresError) -> Bool {
        try await postgres.execute(.removePreference(key, in: category, of: user), identity: .user(user.uuid)) == 1
    }
}

extension Statement<Void> {
    static func set(_ preferences: [Preference], of user: UserID) -> Self {
        .writing(
            """
            INSERT INTO users.user_preferences AS known (user_id, category, key, value)
            SELECT \(user.uuid), new.category, new.key, new.value
            FROM unnest(\(preferences.map(\.category)), \(preferences.map(\.key)), \(preferences.map(\.value)))
                 AS new (category, key, value)
            ORDER BY new.category, new.key
            ON CONFLICT (user_id, category, key) DO UPDATE SET value = excluded.value, version = known.version + 1
            """)
    }

    static func removePreference(_ key: String, in category: String, of user: UserID) -> Self {
        .writing(
            "DELETE FROM users.user_preferences WHERE user_id = \(user.uuid) AND category = \(category) AND key = \(key)")
    }
}

extension Statement<Preference> {
    static func list(of user: UserID, in category: String?, behind place: PreferenceName?, limit: Int) -> Self {
        let ofCategory: Query = if let category { "AND category = \(category)" } else { "" }
        let rest: Query =
            if let place { "AND (category COLLATE \"C\", key COLLATE \"C\") > (\(place.category), \(place.key))" } else { "" }
        return .reading(
            """
            SELECT category, key, value, version FROM users.user_preferences
            WHERE user_id = \(user.uuid) \(ofCategory) \(rest) ORDER BY category COLLATE "C", key COLLATE "C" LIMIT \(limit)
            """)
    }

    static func preference(_ key: String, in category: String, of user: UserID) -> Self {
        .reading(
            """
            SELECT category, key, value, version FROM users.user_preferences
            WHERE user_id = \(user.uuid) AND category = \(category) AND key = \(key)
            """)
    }
}
