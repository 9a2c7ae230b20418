internal import Application
internal import Contracts
internal import Foundation
internal import Postgres
internal import RPC
internal import Testing

@testable internal import Chat

/// What the database itself refuses to the service's role, should a statement ever forget whose rows it wants.
@Suite struct `The chat tables` {
    @Test func `show nothing to a transaction without an identity`() async throws {
        try await withChat { chat in
            let ada = Caller()
            try await chat.say("hello", as: ada)

            #expect(try await count("SELECT count(*) FROM chat.chat_sessions", chat, .none) == 0)
            #expect(try await count("SELECT count(*) FROM chat.chat_messages", chat, .none) == 0)
        }
    }

    @Test func `show each person's rows to that person alone`() async throws {
        try await withChat { chat in
            let (ada, eve) = (Caller(), Caller())
            try await chat.say("hello", as: ada)

            for (person, rows) in [(ada, 1), (eve, 0)] {
                #expect(try await count("SELECT count(*) FROM chat.chat_sessions", chat, .user(person.id)) == rows)
                #expect(try await count("SELECT count(*) FROM chat.chat_messages", chat, .user(person.id)) == rows)
            }
        }
    }

    @Test func `let nobody change or add rows of somebody else`() async throws {
        try await withChat { chat in
            let (ada, eve) = (Caller(), Caller())
            try await chat.say("hello", as: ada)

            let changed = try await chat.sessions.postgres.execute(
                "UPDATE chat.chat_sessions SET title = 'mine' WHERE user_id = \(ada.id)", identity: .user(eve.id))
            #expect(changed == 0)
            await #expect {
                try await chat.sessions.postgres.execute(
                    "INSERT INTO chat.chat_sessions (user_id, id, title) VALUES (\(ada.id), \(UUID()), 'mine')",
                    identity: .user(eve.id))
            } throws: { ($0 as? PostgresError)?.code == .insufficientPrivilege }
        }
    }

    @Test func `let the service neither delete nor rewrite a message`() async throws {
        try await withChat { chat in
            let ada = Caller()
            try await chat.say("hello", as: ada)

            for statement in [
                "DELETE FROM chat.chat_messages", "UPDATE chat.chat_messages SET content = 'other'",
                "DELETE FROM chat.chat_sessions",
            ] as [Query] {
                await #expect {
                    try await chat.sessions.postgres.execute(statement, identity: .user(ada.id))
                } throws: { ($0 as? PostgresError)?.code == .insufficientPrivilege }
            }
        }
    }

    private func count(_ query: Query, _ chat: ChatService, _ identity: Identity) async throws -> Int? {
        try await chat.sessions.postgres.first(query, as: Scalar<Int>.self, identity: identity)?.value
    }
}
