internal import Contracts
internal import RPC

extension PatientStory {
    /// The conversation put away, read from its archive, and taken back, for which the archive has to be what was put away.
    func archiveConversation() async throws {
        let chat = ChatV1.ChatServiceClient(patient.channel)
        let before = try await messages(chat)
        let archived = try await patient.patiently { options throws(RPCError) in
            try await chat.archiveSession(.init(sessionId: session), options: options)
        }.session
        let kept = try await messages(chat)
        let restored = try await patient.patiently { options throws(RPCError) in
            try await chat.restoreSession(.init(sessionId: session), options: options)
        }.session
        guard archived?.archivedAt != nil, restored?.id == session, restored?.archivedAt == nil, kept == before else {
            throw CommandFailure("the conversation is not the same after it was put away and taken back.")
        }
        progress.step(
            "archive",
            "the conversation was put away, its \(kept.count) messages sealed in the person's chain of SHA-256 and read from there, and taken back once the seal was found whole")
    }

    private func messages(_ chat: ChatV1.ChatServiceClient) async throws -> [ChatV1.Message] {
        try await patient.patiently { options throws(RPCError) in
            try await chat.listMessages(.init(sessionId: session, pageSize: 500), options: options)
        }.messages
    }
}
