internal import Contracts
internal import RPC

/// One conversation: a question, and an answer that quotes what the search found. Its ids are fixed, so it is kept once.
struct SampleConversation: Sendable {
    let client: GatewayClient

    func tell(_ question: MedicalTexts.Question, found matches: [VectorsV1.Match]) async throws -> (session: String, messages: Int) {
        let chat = ChatV1.ChatServiceClient(client.channel)
        let session = try await client.patiently { options throws(RPCError) in
            try await chat.createSession(.init(title: question.text, clientId: "sample-conversation"), options: options)
        }.session?.id ?? ""
        let quotes = matches.prefix(3).map { "“\($0.content)” (\($0.id))" }.joined(separator: "\n")
        let documents = GoogleProtobuf.ListValue(
            values: matches.prefix(3).map { .init(kind: .stringValue($0.id)) })
        let messages = [
            ChatV1.NewMessage(clientId: "sample-question", role: .user, content: question.text),
            ChatV1.NewMessage(
                clientId: "sample-answer", role: .assistant, content: "The nearest texts of the knowledge base say:\n\(quotes)",
                metadata: .init(fields: [
                    "collection": .init(kind: .stringValue(MedicalTexts.collection)),
                    "documents": .init(kind: .listValue(documents)),
                ])),
        ]
        let kept = try await client.patiently { options throws(RPCError) in
            try await chat.appendMessages(.init(sessionId: session, messages: messages), options: options)
        }
        return (session, kept.messages.count)
    }
}
