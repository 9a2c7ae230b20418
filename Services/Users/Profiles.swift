internal import Application
internal import Cache
internal import Contracts
internal import RPC

/// People's profiles as they see them themselves.
struct Profiles: Sendable {
    private let users: UserRepository
    private let cache: TieredCache<UsersV1.GetProfileResponse>

    init(_ users: UserRepository, caches: CacheHub) {
        self.users = users
        cache = TieredCache(of: UsersV1.UsersServiceMethods.getProfile.descriptor, hub: caches)
    }

    private func key(_ user: UserID) -> CacheKey { .personal("profile", seenBy: user.uuid) }

    /// `nil` if there is no such account any more.
    func find(_ user: UserID, pastMemory: Bool) async throws -> UsersV1.GetProfileResponse? {
        let users = users
        return try await cache.value(for: key(user), pastMemory: pastMemory) {
            try await users.find(user).map { UsersV1.GetProfileResponse(user: .init($0)) }
        }
    }

    /// Takes what is kept of a person out of every cache.
    func forget(_ user: UserID) async throws {
        try await changing(user) {}
    }

    /// Does what changes an account's row, so that nothing older of it is shown from a cache: each change of it, of a password's hash too, is
    /// one of `updated_at`.
    func changing<Result>(_ user: UserID, _ change: () async throws -> Result) async throws -> Result {
        try await cache.changing([key(user)], and: [.patientOverview(of: user.uuid)], change)
    }

    /// Throws as `UserRepository.update` does.
    func update(_ user: UserID, _ change: ProfileChange, expectedVersion: Int64?) async throws -> User {
        try await changing(user) { try await users.update(user, change, expectedVersion: expectedVersion) }
    }
}
