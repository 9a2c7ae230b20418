internal import Application
internal import Cache
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time

/// The conversations in use that a person has used last: what an app shows first.
struct RecentSessions: Sendable {
    private typealias Contents = ChatV1.ListSessionsResponse

    /// As many as a page has that nobody asked to be longer, and one that tells whether there are more.
    static let mostKept = 20

    private let repository: SessionRepository
    private let cache: TieredCache<ChatV1.ListSessionsResponse>

    init(_ repository: SessionRepository, caches: CacheHub) {
        self.repository = repository
        cache = TieredCache(of: ChatV1.ChatServiceMethods.listSessions.descriptor, hub: caches)
    }

    private func key(_ user: UUID) -> CacheKey { .personal("recent", seenBy: user) }

    /// The one that was used last first, `count` at most and one more.
    func first(_ count: Int, of user: UUID, pastMemory: Bool) async throws -> [ChatV1.Session] {
        guard count <= Self.mostKept else { return try await load(count + 1, of: user) }
        let recent = try await cache.value(for: key(user), pastMemory: pastMemory) {
            Contents(sessions: try await load(Self.mostKept + 1, of: user))
        }
        return Array((recent?.sessions ?? []).prefix(count + 1))
    }

    private func load(_ count: Int, of user: UUID) async throws -> [ChatV1.Session] {
        try await repository.list(of: user, after: nil, limit: count).map { .init($0) }
    }

    var statistics: CacheStatistics { cache.statistics }

    /// Takes what is kept of a person out of every cache.
    func forget(_ user: UUID) async throws { try await changing(of: user) {} }

    /// Does what may change the list.
    func changing<Result>(of user: UUID, _ change: () async throws -> Result) async throws -> Result {
        try await cache.changing([key(user)], and: [.patientOverview(of: user)], change)
    }
}
