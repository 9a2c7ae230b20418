internal import Application
internal import Contracts
internal import Foundation
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import Synchronization
internal import TestSupport
internal import Testing
internal import Time

@testable internal import Chat

@Suite struct `The pieces of a message` {
    @Test func `follow on each other, and those that came already are passed over`() throws {
        var pieces = PieceSequence(kept: 3)
        try pieces.add("dé", at: 3)
        try pieces.add("abc", at: 0)
        try pieces.add("é", at: 4)
        try pieces.add("f", at: 6)

        let taken = pieces.take()
        let nothing = pieces.take()
        try pieces.add("g", at: 7)
        let last = pieces.take()

        #expect(taken?.text == "déf" && taken?.offset == 3)
        #expect(nothing == nil)
        #expect(last?.text == "g" && last?.offset == 7 && pieces.length == 8)
    }

    @Test(arguments: [(4, "x"), (2, "xx"), (-1, "x"), (Int.max, "x")])
    func `that leave a gap or come in part again are refused`(offset: Int, text: String) throws {
        var pieces = PieceSequence(kept: 3)
        #expect(throws: ChatError.pieceOutOfPlace(kept: 3)) { try pieces.add(text, at: offset) }
    }

    @Test func `that have more characters than a message are refused before they are kept`() throws {
        var pieces = PieceSequence(kept: 0)
        try pieces.add(String(repeating: "a", count: 60_000), at: 0)
        _ = pieces.take()
        #expect(throws: ChatError.messageTooLong) { try pieces.add(String(repeating: "a", count: 40_001), at: 60_000) }
        try pieces.add(String(repeating: "é", count: 40_000), at: 60_000)
        let taken = pieces.take()

        #expect(taken?.text.unicodeScalars.count == 40_000)
        #expect(ChatError.messageTooLong.rpcError.code == .invalidArgument)
    }

    @Test func `are taken until the token of their call expires, and no longer`() throws {
        let request = ChatV1.StreamMessageRequest(step: .piece(.init(offset: 0, text: "a")))
        let now = Instant(microsecondsSinceEpoch: 1_800_000_000_000_000)

        guard case .piece("a", offset: 0) = try request.continuation(before: now + .seconds(1), now: now) else {
            Issue.record("The piece was not taken.")
            return
        }
        let error = #expect(throws: RPCError.self) { try request.continuation(before: now, now: now) }
        #expect(error?.code == .unauthenticated)
    }
}

/// Lends a draft of a conversation that has been begun.
private func withDraft(_ body: (ChatService, DraftRepository, NewDraft, Caller) async throws -> Void) async throws {
    try await withChat { chat in
        let ada = Caller()
        let session = try SessionID(parsing: try await chat.open(for: ada))
        let drafts = DraftRepository(postgres: chat.sessions.postgres)
        let draft = NewDraft(
            session: session, clientID: try ClientID("m"), speaker: .assistant, metadata: try MessageMetadata(json: #"{"model": "m"}"#))
        try await body(chat, drafts, draft, ada)
    }
}

extension PieceKeeper {
    /// Keeps these steps as if they came one by one; tells what was said to be kept.
    fileprivate func keep(from kept: Int, _ steps: [Step], then error: (any Error)? = nil) async throws -> (length: Int?, progress: [Int]) {
        let rest = Mutex(steps[...])
        let progress = Mutex<[Int]>([])
        let length = try await keep(from: kept) {
            if let step = rest.withLock({ $0.popFirst() }) { return step }
            if let error { throw error }
            return nil
        } progress: { count in
            progress.withLock { $0.append(count) }
        }
        return (length, progress.withLock { $0 })
    }
}

@Suite struct `A message that comes piece by piece` {
    @Test func `is gone on with after it was broken off, and is one message in the end`() async throws {
        try await withDraft { chat, drafts, draft, ada in
            let keeper = PieceKeeper(draft: draft, drafts: drafts, user: ada.id)
            #expect(try await drafts.begin(draft, of: ada.id) == .kept(0))
            await #expect(throws: CancellationError.self) {
                try await keeper.keep(from: 0, [.piece("Your ", offset: 0), .piece("pulse ", offset: 5)], then: CancellationError())
            }
            // What was told to be kept is; what was on its way when it broke off may be.
            guard case .kept(let kept) = try await drafts.begin(draft, of: ada.id) else {
                Issue.record("It is no message yet.")
                return
            }
            #expect([0, 5, 11].contains(kept))
            let (length, progress) = try await keeper.keep(
                from: kept,
                [.piece("Your ", offset: 0), .piece("pulse ", offset: 5), .piece("is 62.", offset: 11), .ending(length: 17)])
            #expect(length == 17 && progress.last == 17 && progress == progress.sorted())
            let list = try await drafts.list(of: draft.session, ada.id)
            #expect(list?.map(\.content) == ["Your pulse is 62."] && list?.first?.speaker == .assistant)

            let message = try await drafts.end(draft, length: 17, of: ada.id)
            let again = try await drafts.end(draft, length: 17, of: ada.id)
            #expect(message == again && message.content == "Your pulse is 62." && message.sequence == 1)
            #expect(try await drafts.begin(draft, of: ada.id) == .message(message))
            #expect(try await drafts.list(of: draft.session, ada.id) == [])
            let read = try await chat.listMessages(.init(sessionId: draft.session.uuid.uuidString), context: ada.context).messages
            #expect(read.map(\.content) == ["Your pulse is 62."])
            #expect(read.first?.metadata?.fields["model"] == .init(kind: .stringValue("m")))
        }
    }

    @Test func `is no draft any more once its conversation has it, whoever added it`() async throws {
        try await withDraft { chat, drafts, draft, ada in
            let session = draft.session.uuid.uuidString
            for id in ["m", "n", "o"] {
                let each = NewDraft(session: draft.session, clientID: try ClientID(id), speaker: .assistant, metadata: .none)
                _ = try await drafts.begin(each, of: ada.id)
                try await drafts.add("text", at: 0, to: each, of: ada.id)
            }

            _ = try await chat.appendMessages(.init(sessionId: session, messages: [.saying("text", as: "m")]), context: ada.context)
            #expect(try await drafts.list(of: draft.session, ada.id)?.map(\.clientID) == ["o", "n"])
            await #expect(throws: ChatError.draftContested) { try await drafts.add("x", at: 4, to: draft, of: ada.id) }
            let again = try await chat.appendMessages(
                .init(sessionId: session, messages: [.saying("text", as: "m"), .saying("text", as: "n")]), context: ada.context)

            #expect(again.duplicateCount == 1)
            #expect(try await drafts.list(of: draft.session, ada.id)?.map(\.clientID) == ["o"])
        }
    }

    @Test func `that two go on with is kept once, and one of them is told`() async throws {
        try await withDraft { _, drafts, draft, ada in
            _ = try await drafts.begin(draft, of: ada.id)
            let outcomes = await withTaskGroup(of: Bool.self) { group in
                for writer in 0..<8 {
                    group.addTask { (try? await drafts.add("writer \(writer)", at: 0, to: draft, of: ada.id)) != nil }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(outcomes == 1)
            #expect(try await drafts.begin(draft, of: ada.id) == .kept(8))
            await #expect(throws: ChatError.draftContested) { try await drafts.add("x", at: 0, to: draft, of: ada.id) }
            await #expect(throws: ChatError.draftIncomplete(kept: 8)) { try await drafts.end(draft, length: 9, of: ada.id) }
        }
    }

    @Test func `is its person's alone, and goes when it is discarded`() async throws {
        try await withDraft { chat, drafts, draft, ada in
            let bob = Caller()
            let service = DraftsService(drafts: drafts, recent: chat.recent)
            _ = try await drafts.begin(draft, of: ada.id)
            try await drafts.add("text", at: 0, to: draft, of: ada.id)
            let session = draft.session.uuid.uuidString

            await #expect(throws: ChatError.sessionNotFound(draft.session)) { try await drafts.begin(draft, of: bob.id) }
            await #expect(throws: ChatError.draftContested) { try await drafts.add("x", at: 4, to: draft, of: bob.id) }
            await expect(.notFound) { try await service.listDrafts(.init(sessionId: session), context: bob.context) }
            _ = try await service.discardDraft(.init(sessionId: session, clientId: "m"), context: bob.context)
            #expect(try await service.listDrafts(.init(sessionId: session), context: ada.context).drafts.map(\.content) == ["text"])
            for _ in 0..<2 { _ = try await service.discardDraft(.init(sessionId: session, clientId: "m"), context: ada.context) }
            #expect(try await service.listDrafts(.init(sessionId: session), context: ada.context).drafts.isEmpty)
            await #expect(throws: ChatError.draftContested) { try await drafts.end(draft, length: 4, of: ada.id) }
        }
    }

    @Test func `is in a list that a client takes, however long the ten are`() async throws {
        try await withDraft { chat, drafts, draft, ada in
            let service = DraftsService(drafts: drafts, recent: chat.recent)
            // Four bytes a character: as long as a message may be. Its metadata take 55,000 bytes of an answer.
            let longest = String(repeating: "\u{1F493}", count: MessageContent.maxCharacters)
            let metadata = try MessageMetadata(GoogleProtobuf.Struct.zeros(5_000))
            for number in 0..<10 {
                let each = NewDraft(session: draft.session, clientID: try ClientID("\(number)"), speaker: .assistant, metadata: metadata)
                _ = try await drafts.begin(each, of: ada.id)
                try await drafts.add(longest, at: 0, to: each, of: ada.id)
            }
            let request = ChatV1.ListDraftsRequest(sessionId: draft.session.uuid.uuidString)

            let listed = try await service.listDrafts(request, context: ada.context)
            try await drafts.discard(try ClientID("9"), in: draft.session, of: ada.id)
            let behind = try await service.listDrafts(request, context: ada.context)

            #expect(try listed.serializedByteCount() < 4 << 20)
            #expect(listed.drafts.map(\.clientId) == ["9", "8", "7", "6", "5", "4"])
            #expect(behind.drafts.map(\.clientId) == ["8", "7", "6", "5", "4", "3"])
        }
    }

    @Test func `is one of ten in a conversation, and is gone a week after its last piece`() async throws {
        try await withDraft { _, drafts, draft, ada in
            func numbered(_ number: Int) throws -> NewDraft {
                NewDraft(session: draft.session, clientID: try ClientID("\(number)"), speaker: .assistant, metadata: .none)
            }
            for number in 0..<10 { _ = try await drafts.begin(try numbered(number), of: ada.id) }
            await #expect(throws: ChatError.tooManyDrafts) { try await drafts.begin(try numbered(10), of: ada.id) }
            #expect(try await drafts.begin(try numbered(9), of: ada.id) == .kept(0))
            // As the owner, without the trigger that stamps changes.
            try await PostgresServer.shared.psql(
                """
                SET session_replication_role = replica;
                UPDATE chat.message_drafts SET updated_at = now() - interval '8 days' WHERE user_id = '\(ada.id)' AND client_id < '5'
                """, database: "chat_tests")

            #expect(try await drafts.list(of: draft.session, ada.id)?.map(\.clientID) == ["9", "8", "7", "6", "5"])
            #expect(try await drafts.begin(try numbered(10), of: ada.id) == .kept(0))
            #expect(try await drafts.list(of: draft.session, ada.id)?.count == 6)
        }
    }
}
