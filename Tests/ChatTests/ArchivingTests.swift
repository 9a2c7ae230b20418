internal import Application
internal import Contracts
internal import Foundation
internal import Jobs
internal import Logging
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import TestSupport
internal import Testing
internal import Time

@testable internal import Chat

@Suite(.timeLimit(.minutes(2))) struct `A conversation that nobody has used for long` {
    /// An idle conversation of so many messages, and what archives it.
    private static func withIdle(
        messages count: Int, _ body: (ChatService, Caller, SessionID, SessionArchiver) async throws -> Void
    ) async throws {
        try await withChat { service in
            let ada = Caller()
            let id = try await service.open(for: ada)
            for number in 1...count {
                let metadata = GoogleProtobuf.Struct.text(ofLength: number)
                _ = try await service.appendMessages(
                    .init(sessionId: id, messages: [.saying("Grüße \(number)", as: "\(number)", with: metadata)]), context: ada.context)
            }
            let session = try SessionID(parsing: id)
            let archiver = SessionArchiver(
                postgres: service.sessions.postgres, settings: .init(idle: .microseconds(1), retentionYears: 10), logger: quiet)
            try await body(service, ada, session, archiver)
        }
    }

    private static func read(
        _ service: ChatService, _ session: SessionID, of caller: Caller, pages of: Int32 = 500
    ) async throws -> [ChatV1.Message] {
        var messages: [ChatV1.Message] = []
        var token = ""
        repeat {
            let page = try await service.listMessages(
                .init(sessionId: session.uuid.uuidString, pageSize: of, pageToken: token), context: caller.context)
            messages += page.messages
            token = page.nextPageToken
        } while !token.isEmpty
        return messages
    }

    private static func archive(_ archiver: SessionArchiver, _ session: SessionID, of caller: Caller) async throws -> Bool {
        try await archiver.postgres.transaction(identity: .user(caller.id)) { transaction in
            try await archiver.archive(session, of: caller.id, transaction)
        }
    }

    private static func psql(_ sql: String) async throws -> String {
        try await PostgresServer.shared.psql(sql, database: "chat_tests")
    }

    @Test func `is read as before when its messages are in the archive, and listed where it was`() async throws {
        try await Self.withIdle(messages: 12) { service, ada, session, archiver in
            let before = try await Self.read(service, session, of: ada)
            let listed = try await service.getSession(.init(sessionId: session.uuid.uuidString), context: ada.context)

            #expect(try await Self.archive(archiver, session, of: ada))

            #expect(try await Self.psql("SELECT count(*) FROM chat.chat_messages WHERE user_id = '\(ada.id)'") == "0")
            #expect(try await Self.psql("SELECT encoding FROM chat.session_archives WHERE user_id = '\(ada.id)'") == "lz4")
            #expect(try await Self.read(service, session, of: ada) == before)
            #expect(try await Self.read(service, session, of: ada, pages: 5) == before)
            #expect(try await service.getSession(.init(sessionId: session.uuid.uuidString), context: ada.context) == listed)
            #expect(try await Self.archive(archiver, session, of: ada) == false)
            let bob = Caller()
            await expect(.notFound) { try await Self.read(service, session, of: bob) }
        }
    }

    @Test func `is found by the job of the day, and archived by one of its own`() async throws {
        try await Self.withIdle(messages: 3) { service, ada, session, _ in
            // As if it had been used last two years ago; no trigger says otherwise.
            _ = try await Self.psql(
                """
                SET session_replication_role = replica;
                UPDATE chat.chat_sessions SET updated_at = now() - interval '2 years' WHERE user_id = '\(ada.id)';
                UPDATE chat.chat_messages SET created_at = now() - interval '2 years' WHERE user_id = '\(ada.id)'
                """)
            let before = try await Self.read(service, session, of: ada)
            let postgres = service.sessions.postgres
            var archiver = SessionArchiver(postgres: postgres, settings: .init(idle: .seconds(365 * 86_400)), logger: quiet)
            archiver.batch = 1

            #expect(try await archiver.findIdle() == 1)
            try await RedisServer.with(["--maxmemory", "64mb", "--maxmemory-policy", "noeviction"]) { server in
                try await withHotRedis(server) { redis in
                    let queue = JobQueue(redis: redis, name: "arq:queue:chat")
                    let relay = OutboxRelay(archiver.outbox, to: queue, logger: quiet)
                    let worker = JobWorker(
                        queue, handlers: archiver.handlers, effects: JobEffects(postgres: postgres, table: "chat.job_effects"), logger: quiet)
                    let running = [Task { await relay.run() }, Task { await worker.run() }]
                    let count = "SELECT count(*) FROM chat.session_archives WHERE user_id = '\(ada.id)'"
                    while try await Self.psql(count) == "0" { try await Task.sleep(for: .milliseconds(50)) }
                    for task in running { task.cancel() }
                    for task in running { await task.value }
                }
            }

            #expect(try await archiver.findIdle() == 0)
            #expect(try await Self.read(service, session, of: ada) == before)
        }
    }

    @Test func `goes on behind its archive, and takes no message twice`() async throws {
        try await Self.withIdle(messages: 7) { service, ada, session, archiver in
            let before = try await Self.read(service, session, of: ada)
            #expect(try await Self.archive(archiver, session, of: ada))

            let appended = try await service.appendMessages(
                .init(sessionId: session.uuid.uuidString, messages: [.saying("Grüße 3", as: "3"), .saying("New", as: "new")]),
                context: ada.context)

            #expect(appended.duplicateCount == 1)
            #expect(appended.messages.map(\.sequence) == [3, 8])
            #expect(appended.messages[0] == before[2])
            let after = try await Self.read(service, session, of: ada, pages: 3)
            #expect(after == before + [appended.messages[1]])
            #expect(try await Self.archive(archiver, session, of: ada) == false)
        }
    }

    @Test func `is read from the last message back as if there were no archive`() async throws {
        try await Self.withIdle(messages: 7) { service, ada, session, archiver in
            #expect(try await Self.archive(archiver, session, of: ada))
            let late = ["8", "9", "10"].map { (id: String) in ChatV1.NewMessage.saying("Late \(id)", as: id) }
            _ = try await service.appendMessages(.init(sessionId: session.uuid.uuidString, messages: late), context: ada.context)
            func page(behind token: String = "") async throws -> (sequences: [Int64], next: String) {
                let page = try await service.listMessages(
                    .init(sessionId: session.uuid.uuidString, pageSize: 6, pageToken: token, newestFirst: true), context: ada.context)
                return (page.messages.map(\.sequence), page.nextPageToken)
            }

            let first = try await page()
            let second = try await page(behind: first.next)

            #expect(first.sequences == [10, 9, 8, 7, 6, 5])
            #expect(second.sequences == [4, 3, 2, 1] && second.next == "")
            // What is not in the archive is read although that is damaged.
            _ = try await Self.psql(
                "UPDATE chat.session_archives SET content = set_bit(content, 9, 1 - get_bit(content, 9)) WHERE user_id = '\(ada.id)'")
            let whole = try await page()
            #expect(whole.sequences == [10, 9, 8])
            await expect(.dataLoss) { try await page(behind: whole.next).sequences }
        }
    }

    @Test func `is answered with DATA_LOSS when a bit of its archive is another, or it is gone`() async throws {
        try await Self.withIdle(messages: 3) { service, ada, session, archiver in
            #expect(try await Self.archive(archiver, session, of: ada))

            _ = try await Self.psql(
                "UPDATE chat.session_archives SET content = set_bit(content, 9, 1 - get_bit(content, 9)) WHERE user_id = '\(ada.id)'")
            await expect(.dataLoss) { try await Self.read(service, session, of: ada) }
            await expect(.dataLoss) {
                try await service.appendMessages(
                    .init(sessionId: session.uuid.uuidString, messages: [.saying("New")]), context: ada.context)
            }
            _ = try await Self.psql("DELETE FROM chat.session_archives WHERE user_id = '\(ada.id)'")
            await expect(.dataLoss) { try await Self.read(service, session, of: ada) }
        }
    }

    @Test func `loses nothing of what is said while it is archived`() async throws {
        for _ in 0..<10 {
            try await Self.withIdle(messages: 4) { service, ada, session, archiver in
                let said = try await withThrowingTaskGroup(of: [ChatV1.Message].self) { group in
                    for number in 0..<4 {
                        group.addTask {
                            try await service.appendMessages(
                                .init(sessionId: session.uuid.uuidString, messages: [.saying("Late \(number)")]), context: ada.context
                            ).messages
                        }
                        group.addTask {
                            // Who comes first wins; a session that was archived by the one is left alone by the other.
                            _ = try await Self.archive(archiver, session, of: ada)
                            return []
                        }
                    }
                    return try await group.reduce(into: []) { $0 += $1 }
                }

                let messages = try await Self.read(service, session, of: ada, pages: 3)
                #expect(messages.map(\.sequence) == Array(1...8))
                #expect(Set(messages.map(\.content)).count == 8)
                for message in said { #expect(messages.contains(message)) }
            }
        }
    }

    @Test func `is left alone when it was used again, and keeps what was thought of its messages`() async throws {
        try await Self.withIdle(messages: 2) { service, ada, session, archiver in
            let message = try await Self.read(service, session, of: ada)[0]
            let repository = FeedbackRepository(postgres: archiver.postgres)
            let feedback = try await repository.give(
                NewFeedback(
                    clientID: ClientID("1"), session: session, message: UUID(uuidString: message.id),
                    opinion: Opinion(kind: .thumbs, rating: 1, comment: nil, correction: nil)), of: ada.id)
            let patient = SessionArchiver(postgres: archiver.postgres, settings: .init(idle: .seconds(3_600)), logger: quiet)

            #expect(try await Self.archive(patient, session, of: ada) == false)
            #expect(try await Self.archive(archiver, session, of: ada))

            #expect(try await repository.list(of: session, after: nil, limit: 2, of: ada.id) == [feedback])
        }
    }

    @Test func `stays in the tables when it is more than an archive takes`() async throws {
        try await Self.withIdle(messages: 3) { service, ada, session, archiver in
            var small = archiver
            small.mostBytes = 20
            let narrow = small

            let isArchived = try await Self.archive(narrow, session, of: ada)
            #expect(!isArchived)
            await #expect(throws: ChatError.sessionTooLarge) { try await narrow.putAway(session, of: ada.id) }

            #expect(try await Self.read(service, session, of: ada).count == 3)
            #expect(try await Self.psql("SELECT count(*) FROM chat.session_archives WHERE user_id = '\(ada.id)'") == "0")
        }
    }
}
