internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC

/// Answers heartguard.vectors.v1.ForgettingService: Chat has forgotten under a person's ids here too.
struct ForgettingService: Sendable {
    let memories: MemoryRepository
}

extension ForgettingService: VectorsV1.ForgettingServiceProtocol {
    func forgetMemories(
        _ request: VectorsV1.ForgetMemoriesRequest, context: RPCContext
    ) async throws -> VectorsV1.ForgetMemoriesResponse {
        let (user, ids) = try request.parsed()

        let change = try await memories.delete(.ids(ids), of: user)
        return VectorsV1.ForgetMemoriesResponse(deletedCount: Int32(change.count))
    }
}

extension VectorsV1.ForgetMemoriesRequest {
    func parsed() throws(RPCError) -> (user: UUID, [MemoryID]) {
        var violations = FieldViolations()
        let user = violations.value("user_id", userId, UUID.init(parsing:))
        violations.check(
            (1...MemoryDeletion.maxIDs).contains(ids.count), "ids", "There must be 1 to 1,000 of them; there are \(ids.count).")
        let parsed = ids.prefix(MemoryDeletion.maxIDs).enumerated().compactMap { place, id in
            violations.value("ids[\(place)]", id, MemoryID.init(_:))
        }
        return (try violations.complete(user), parsed)
    }
}
