internal import Application
internal import Foundation
internal import Postgres

/// How people's apps are set.
struct Preferences: Sendable {
    let postgres: Postgres

    /// Sets a value. The value that is set already stays as it is, whatever version is expected, so that the call may be made again.
    ///
    /// Throws `RecordError.changed`, `.tooMany` and `UsersError.accountGone`.
    func set(_ value: JSONNode, _ name: PreferenceName, of user: UserID, expectedVersion: Int64?) async throws -> Preference {
        do {
            return try await postgres.transaction(identity: .user(user.uuid)) { transaction in
                let (_, known, count) = try await transaction.batch(
                    .lockRecords(of: user), .preference(name.key, in: name.category, of: user),
                    .countRecords(of: user, in: PreferenceRepository.table))
                let current = try known.first()
                if let current, try JSONNode(current.value) == value { return current }
                if let expectedVersion, expectedVersion != current?.version ?? 0 { throw RecordError.changed }
                guard try current != nil || count.first()?.value ?? 0 < RecordLimit.preferences else {
                    throw RecordError.tooMany(most: RecordLimit.preferences)
                }
                let preference = Preference(
                    category: name.category, key: name.key, value: try value.json, version: (current?.version ?? 0) + 1)
                try await transaction.execute(.set([preference], of: user))
                return preference
            }
        } catch let error as PostgresError where error.code == .foreignKeyViolation {
            throw UsersError.accountGone
        }
    }

    func find(_ name: PreferenceName, of user: UserID) async throws(PostgresError) -> Preference? {
        try await postgres.first(.preference(name.key, in: name.category, of: user), identity: .user(user.uuid))
    }

    /// One more than a page of a list holds.
    func list(_ list: PreferenceList, of user: UserID) async throws(PostgresError) -> [Preference] {
        try await PreferenceRepository(postgres: postgres).list(
            of: user, in: list.category, behind: list.place, limit: list.size + 1)
    }

    /// Throws `RecordError.notFound`.
    func remove(_ name: PreferenceName, of user: UserID) async throws {
        guard try await PreferenceRepository(postgres: postgres).remove(name.key, in: name.category, of: user) else {
            throw RecordError.notFound
        }
    }
}

/// The value of a setting, as JSON has it.
extension JSONNode {
    static let mostLevels = 8
    static let mostBytes = 16 * 1_024

    /// What the table holds.
    init(_ json: JSONB) throws { self = try JSONDecoder().decode(JSONNode.self, from: Data(json.text.utf8)) }

    var json: JSONB {
        get throws { JSONB(String(decoding: try JSONEncoder().encode(self), as: UTF8.self)) }
    }

    /// Throws if it is deeper or larger than is kept, or holds what neither JSON nor PostgreSQL has.
    func check() throws(InvalidValue) {
        guard levels <= Self.mostLevels else { throw InvalidValue("is more than \(Self.mostLevels) levels deep") }
        guard !hasNUL, let data = try? JSONEncoder().encode(self) else { throw InvalidValue("holds what JSON cannot keep") }
        guard data.count <= Self.mostBytes else { throw InvalidValue("has more than \(Self.mostBytes) bytes in JSON") }
    }
}
