internal import Contracts
internal import RPC
internal import Testing

@testable internal import Chat

@Suite struct `Many who append to one session at once` {
    @Test func `leave a sequence without a gap, each request's messages side by side`() async throws {
        try await withChat { chat in
            let ada = Caller()
            let id = try await chat.open(for: ada)

            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<16 {
                    group.addTask {
                        _ = try await chat.appendMessages(
                            .init(sessionId: id, messages: (0..<3).map { .saying("\(writer)", as: "\(writer)-\($0)") }),
                            context: ada.context)
                    }
                }
                try await group.waitForAll()
            }
            let list = try await chat.listMessages(.init(sessionId: id), context: ada.context)

            #expect(list.messages.map(\.sequence) == Array(1...48))
            for start in stride(from: 0, to: 48, by: 3) {
                let clientIDs = list.messages[start..<start + 3].map(\.clientId)
                let writer = list.messages[start].content
                #expect(clientIDs == ["\(writer)-0", "\(writer)-1", "\(writer)-2"])
            }
        }
    }

    @Test func `with the same messages add each once, and all read the same`() async throws {
        try await withChat { chat in
            let ada = Caller()
            let id = try await chat.open(for: ada)
            let request = ChatV1.AppendMessagesRequest(
                sessionId: id, messages: (0..<5).map { .saying("said \($0)", as: "\($0)") })

            let answers = try await withThrowingTaskGroup(of: ChatV1.AppendMessagesResponse.self) { group in
                for _ in 0..<10 { group.addTask { try await chat.appendMessages(request, context: ada.context) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let list = try await chat.listMessages(.init(sessionId: id), context: ada.context)

            #expect(list.messages.map(\.sequence) == Array(1...5))
            #expect(answers.allSatisfy { $0.messages == list.messages })
            #expect(answers.reduce(0) { $0 + Int($1.duplicateCount) } == 9 * 5)
        }
    }
}
