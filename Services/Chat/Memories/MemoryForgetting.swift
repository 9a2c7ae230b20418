internal import Contracts
internal import FoundationEssentials
internal import Jobs
internal import RPC
internal import Time

/// Has Vectors forget what it keeps of a person under the ids that are forgotten here: a job, put into the outbox by the transaction that forgets, so it is
/// done whatever is killed in between.
struct MemoryForgetting: Sendable {
    struct Subject: Codable, Hashable, Sendable {
        let user: UUID
        let ids: [UUID]
    }

    /// Asks Vectors.
    let forget: @Sendable (VectorsV1.ForgetMemoriesRequest) async throws -> Void

    static let job = Job<Subject>("forget_memories", priority: .high, retries: RetryPolicy(maximumTries: 1_000), resultLife: nil)

    init(vectors channel: RPCChannel) {
        let forgetting = VectorsV1.ForgettingServiceClient(channel)
        self.init { request in _ = try await forgetting.forgetMemories(request) }
    }

    init(forget: @escaping @Sendable (VectorsV1.ForgetMemoriesRequest) async throws -> Void) { self.forget = forget }

    var handler: JobHandler {
        JobHandler(Self.job) { subject, _ in
            // As the ids of memories are told. Where there are none, there is nothing to forget: so it may be done twice.
            try await forget(
                .init(userId: subject.user.text, ids: subject.ids.map { $0.text }))
        }
    }
}
