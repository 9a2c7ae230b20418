internal import Contracts
internal import RPC
internal import RecordTestSupport
internal import Testing

@testable internal import Chat

@Suite struct `A message` {
    @Test func `gets the next place of its session`() async throws {
        try await withChat { chat in
            let ada = Caller()
            let id = try await chat.open(for: ada)

            _ = try await chat.appendMessages(
                .init(sessionId: id, messages: [.saying("one"), .saying("two")]), context: ada.context)
            let appended = try await chat.appendMessages(
                .init(sessionId: id, messages: [.saying("three", by: .assistant)]), context: ada.context)
            let list = try await chat.listMessages(.init(sessionId: id), context: ada.context)
            let session = try await chat.getSession(.init(sessionId: id), context: ada.context).session

            #expect(list.messages.map(\.sequence) == [1, 2, 3])
            #expect(list.messages.map(\.content) == ["one", "two", "three"])
            #expect(list.messages.map(\.role) == [.user, .user, .assistant])
            #expect(appended.messages == [list.messages[2]])
            #expect(session?.messageCount == 3)
        }
    }

    @Test func `sent again adds nothing and is returned as it was kept`() async throws {
        try await withChat { chat in
            let ada = Caller()
            let id = try await chat.open(for: ada)
            let first = try await chat.appendMessages(
                .init(sessionId: id, messages: [.saying("one", as: "a")]), context: ada.context)

            let second = try await chat.appendMessages(
                .init(sessionId: id, messages: [.saying("new", as: "b"), .saying("changed", as: "a")]),
                context: ada.context)
            let list = try await chat.listMessages(.init(sessionId: id), context: ada.context)

            #expect(second.duplicateCount == 1)
            #expect(second.messages.map(\.content) == ["new", "one"])
            #expect(second.messages[1] == first.messages[0])
            #expect(list.messages.map(\.clientId) == ["a", "b"])
        }
    }

    @Test func `is no repetition of one whose client id is equal to Swift and not to the table`() async throws {
        try await withChat { chat in
            let ada = Caller()
            let id = try await chat.open(for: ada)
            // "ṩ", once of one code point and once of three.
            let messages: [ChatV1.NewMessage] = [.saying("one", as: "\u{1E69}"), .saying("two", as: "s\u{323}\u{307}")]

            let first = try await chat.appendMessages(.init(sessionId: id, messages: messages), context: ada.context)
            let again = try await chat.appendMessages(.init(sessionId: id, messages: messages), context: ada.context)

            #expect(first.messages.map(\.content) == ["one", "two"] && first.duplicateCount == 0)
            #expect(again.messages.map(\.content) == ["one", "two"] && again.duplicateCount == 2)
        }
    }

    @Test func `of a request that only repeats leaves the session as it was`() async throws {
        try await withChat { chat in
            let ada = Caller()
            let id = try await chat.open(for: ada)
            let request = ChatV1.AppendMessagesRequest(sessionId: id, messages: [.saying("one", as: "a")])
            _ = try await chat.appendMessages(request, context: ada.context)
            let before = try await chat.getSession(.init(sessionId: id), context: ada.context).session

            let again = try await chat.appendMessages(request, context: ada.context)

            #expect(again.duplicateCount == 1)
            #expect(try await chat.getSession(.init(sessionId: id), context: ada.context).session == before)
        }
    }

    @Test func `sent again among others is named with them, and without its content where that takes more than an answer has`() async throws {
        try await withChat { chat in
            let ada = Caller()
            let id = try await chat.open(for: ada)
            let longest = String(repeating: "\u{1F493}", count: MessageContent.maxCharacters)
            let ids = (0..<12).map { "\($0)" }
            for clientID in ids {
                _ = try await chat.appendMessages(
                    .init(sessionId: id, messages: [.saying(longest, as: clientID, with: .text(ofLength: 1))]), context: ada.context)
            }

            let again = try await chat.appendMessages(
                .init(sessionId: id, messages: ids.map { .saying("short", as: $0) }), context: ada.context)

            #expect(again.duplicateCount == 12 && again.messages.map(\.clientId) == ids)
            #expect(again.messages.map(\.sequence) == Array(1...12))
            #expect(again.messages.prefix(7).allSatisfy { $0.content == longest && $0.metadata == GoogleProtobuf.Struct.text(ofLength: 1) })
            #expect(again.messages.dropFirst(7).allSatisfy { $0.content.isEmpty && $0.metadata == nil })
            #expect(try again.serializedByteCount() < 4 << 20)
        }
    }

    @Test func `is kept with its metadata as it was sent`() async throws {
        try await withChat { chat in
            let ada = Caller()
            let id = try await chat.open(for: ada)
            let metadata = GoogleProtobuf.Struct(fields: [
                "quoted": .init(
                    kind: .listValue(
                        .init(values: [.init(kind: .stringValue("CHEBI:10650")), .init(kind: .numberValue(0.1 + 0.2))]))),
                "nested": .init(kind: .structValue(.init(fields: ["ü \" \\": .init(kind: .boolValue(true))]))),
                "nothing": .init(kind: .nullValue(.nullValue)),
                "huge": .init(kind: .numberValue(1e300)),
            ])

            _ = try await chat.appendMessages(
                .init(sessionId: id, messages: [.saying("one", with: metadata), .saying("two")]), context: ada.context)
            let list = try await chat.listMessages(.init(sessionId: id), context: ada.context)

            #expect(list.messages[0].metadata == metadata)
            #expect(list.messages[1].metadata == nil)
        }
    }

    @Test func `may have metadata nested 100 deep and no deeper`() async throws {
        try await withChat { chat in
            let ada = Caller()
            let id = try await chat.open(for: ada)
            func metadata(nested depth: Int) -> GoogleProtobuf.Struct {
                (1..<depth).reduce(GoogleProtobuf.Struct(fields: ["innermost": .init(kind: .boolValue(true))])) { inner, _ in
                    GoogleProtobuf.Struct(fields: ["a/b": .init(kind: .structValue(inner))])
                }
            }

            let kept = try await chat.appendMessages(
                .init(sessionId: id, messages: [.saying("deep", with: metadata(nested: 99))]), context: ada.context)

            #expect(kept.messages.first?.metadata == metadata(nested: 99))
            await expect(.invalidArgument, fields: ["messages[0].metadata"]) {
                try await chat.appendMessages(
                    .init(sessionId: id, messages: [.saying("deeper", with: metadata(nested: 101))]),
                    context: ada.context)
            }
        }
    }

    @Test func `may have no metadata with a NUL in a key or in a text, however deep`() throws {
        let text = GoogleProtobuf.Value(kind: .stringValue("a\0b"))
        let key = GoogleProtobuf.Value(kind: .structValue(.init(fields: ["a\0b": .init(kind: .boolValue(true))])))

        for value in [text, key, .init(kind: .listValue(.init(values: [text])))] {
            let request = ChatV1.AppendMessagesRequest(
                sessionId: "0190a0a0-0000-7000-8000-000000000000", messages: [.saying("one", with: .init(fields: ["a": value]))])
            let error = #expect(throws: RPCError.self) { _ = try request.parsed() }
            #expect(error?.violatedFields == ["messages[0].metadata"])
        }
    }

    @Test func `that breaks a rule keeps the whole request out`() async throws {
        try await withChat { chat in
            let ada = Caller()
            let id = try await chat.open(for: ada)

            await expect(
                .invalidArgument,
                fields: ["messages[1].content", "messages[2].client_id", "messages[2].role", "messages[3].metadata"]
            ) {
                try await chat.appendMessages(
                    .init(
                        sessionId: id,
                        messages: [
                            .saying("fine", as: "a"),
                            .saying("", as: "b"),
                            .saying("without a role", as: "a", by: .unspecified),
                            .saying("with too much", as: "d", with: .text(ofLength: 17_000)),
                        ]), context: ada.context)
            }
            await expect(.invalidArgument, fields: ["messages"]) {
                try await chat.appendMessages(.init(sessionId: id), context: ada.context)
            }
            await expect(.invalidArgument, fields: ["messages"]) {
                try await chat.appendMessages(
                    .init(sessionId: id, messages: (0...100).map { .saying("x", as: "\($0)") }), context: ada.context)
            }

            #expect(try await chat.listMessages(.init(sessionId: id), context: ada.context).messages == [])
        }
    }

    @Test func `that the database refuses keeps the whole request out and leaves no gap`() async throws {
        try await withChat { chat in
            let ada = Caller()
            let id = try await chat.open(for: ada)
            let session = try SessionID(parsing: id)
            func message(_ clientID: String, metadata: String) throws -> NewMessage {
                NewMessage(
                    clientID: try ClientID(clientID), speaker: .user, content: try MessageContent("x"),
                    metadata: MessageMetadata(kept: metadata))
            }

            await #expect(throws: (any Error).self) {
                try await chat.messages.append(
                    [message("a", metadata: "{}"), message("b", metadata: "[]")], to: session, of: ada.id)
            }
            let appended = try await chat.messages.append([message("c", metadata: "{}")], to: session, of: ada.id)

            #expect(appended.messages.map(\.sequence) == [1])
        }
    }
}
