internal import Application
internal import Cache
internal import Contracts
internal import RPC

/// The newest reading of every code that a person has: what is asked for most, and changes with every batch.
struct LatestObservations: Sendable {
    private typealias Contents = VitalsV1.GetLatestObservationsResponse

    private let repository: ObservationRepository
    private let cache: TieredCache<VitalsV1.GetLatestObservationsResponse>

    init(_ repository: ObservationRepository, caches: CacheHub) {
        self.repository = repository
        cache = TieredCache(of: VitalsV1.VitalsServiceMethods.getLatestObservations.descriptor, hub: caches)
    }

    private func key(_ user: UserID) -> CacheKey { .personal("all", seenBy: user.uuid) }

    /// In the order of their codes; of these codes alone if there are any.
    func of(_ user: UserID, _ codes: [LOINCCode], pastMemory: Bool) async throws -> [VitalsV1.Observation] {
        let repository = repository
        let latest = try await cache.value(for: key(user), pastMemory: pastMemory) {
            Contents(observations: try await repository.latest(of: user).map(VitalsV1.Observation.init))
        }
        let observations = latest?.observations ?? []
        guard !codes.isEmpty else { return observations }
        let wanted = Set(codes.map(\.text))
        return observations.filter { wanted.contains($0.code) }
    }

    /// Takes what is kept of a person out of every cache.
    func forget(_ user: UserID) async throws { try await changing(of: user) {} }

    /// Does what may add to a person's readings.
    func changing<Result>(of user: UserID, _ change: () async throws -> Result) async throws -> Result {
        try await cache.changing([key(user)], and: [.patientOverview(of: user.uuid)], change)
    }
}
