internal import Application
internal import Crypto
internal import Foundation
internal import Postgres
internal import TestSupport
internal import Testing
internal import Time

@testable internal import Users

@Suite(.timeLimit(.minutes(5))) struct `An export` {
    /// What `PersonalRows.make` makes, with an account and a session, by what an export calls it.
    private static let made: [String: Int64] = [
        "users.users": 1, "users.sessions": 1, "users.push_devices": 1, "users.notifications": 1, "vitals.user_devices": 1, "vitals.vitals": 3,
        "vitals.device_timeseries": 1, "vitals.health_alerts": 1, "chat.chat_sessions": 1, "chat.chat_messages": 2, "chat.feedback": 1,
        "vectors.vector_user_memories": 1,
    ]

    @Test func `has every row of the person and of nobody else, no secret, and verifies itself`() async throws {
        try await withExports { exporting in
            let (ada, bob) = (try await makePerson(), try await makePerson())
            for user in [ada, bob] { try await PersonalRows.make(of: user.uuid, in: exportDatabase) }

            let export = try await exporting.finish(try await exporting.start(ada), of: ada)

            let content = try await exporting.content(of: export, ada)
            let file = try ExportedFile(content)
            #expect(export.state == .finished)
            #expect(export.byteCount == Int64(content.count))
            #expect(export.sha256 == Array(SHA256.hash(data: content)))
            #expect(file.counts == Self.made)
            #expect(export.counts == Self.made)
            let text = String(decoding: content, as: UTF8.self)
            #expect(!text.lowercased().contains(bob.uuid.uuidString.lowercased()))
            #expect(!text.contains("not to be told"))
            let described = file.body.filter { $0.hasPrefix(#"{"table""#) }
            #expect(described.contains { $0.contains("vitals.medications") })
            #expect(described.contains { $0.contains("users.refresh_tokens") && $0.contains("secrets:") })
        }
    }

    @Test func `says the same wherever the work is broken off`() async throws {
        try await withExports { exporting in
            let ada = try await makePerson()
            try await PersonalRows.make(of: ada.uuid, in: exportDatabase)
            var fused = exporting
            var bodies: Set<[String]> = []
            var step = 1
            while true {
                let fuse = Fuse(step)
                fused.fuse = fuse
                let begun = try await fused.start(ada, "client \(step)")
                let export = try await fused.finish(begun, of: ada)
                bodies.insert(try ExportedFile(try await fused.content(of: export, ada)).body)
                #expect(try await fused.exports.remove(export.id, of: ada))
                guard fuse.hasBlown else { break }
                step += 1
            }
            #expect(bodies.count == 1)
            #expect(step > 20)
        }
    }

    @Test func `is written once by any number who write it at once`() async throws {
        try await withExports { exporting in
            let ada = try await makePerson()
            try await PersonalRows.make(of: ada.uuid, in: exportDatabase)
            let begun = try await exporting.start(ada)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 { group.addTask { try await exporting.jobs.write(ExportSubject(export: begun.id, user: ada.uuid)) } }
                try await group.waitForAll()
            }

            let export = try #require(try await exporting.exports.find(begun.id, of: ada))
            #expect(export.state == .finished)
            #expect(try ExportedFile(try await exporting.content(of: export, ada)).counts == Self.made)
        }
    }

    @Test func `is one a client id, one at a time, and five are kept`() async throws {
        try await withExports { exporting in
            let ada = try await makePerson()
            let first = try await exporting.start(ada, "1")
            #expect(try await exporting.start(ada, "1").id == first.id)
            await #expect(throws: ExportsError.clientIDUsed) { try await exporting.start(ada, "1", as: .fhirR4) }
            await #expect(throws: ExportsError.running) { try await exporting.start(ada, "2") }
            _ = try await exporting.finish(first, of: ada)
            for number in 2...5 { _ = try await exporting.finish(try await exporting.start(ada, "\(number)"), of: ada) }
            await #expect(throws: ExportsError.tooMany) { try await exporting.start(ada, "6") }
            #expect(try await exporting.exports.list(of: ada).map(\.clientID) == ["5", "4", "3", "2", "1"])

            #expect(try await exporting.exports.remove(first.id, of: ada))

            #expect(try await exporting.start(ada, "6").state == .running)
        }
    }

    @Test func `is its person's alone`() async throws {
        try await withExports { exporting in
            let (ada, bob) = (try await makePerson(), try await makePerson())
            let export = try await exporting.finish(try await exporting.start(ada), of: ada)

            #expect(try await exporting.exports.find(export.id, of: bob) == nil)
            #expect(try await exporting.exports.chunk(at: 0, of: export.id, bob) == nil)
            #expect(try await exporting.exports.remove(export.id, of: bob) == false)
            #expect(try await exporting.exports.list(of: bob) == [])
            // A job that names another person writes nothing.
            let other = try await exporting.start(ada, "other")
            try await exporting.jobs.write(ExportSubject(export: other.id, user: bob.uuid))
            #expect(try await exporting.exports.find(other.id, of: ada)?.byteCount == 0)
        }
    }

    @Test func `goes when its time is over, and another has its client id then`() async throws {
        try await withExports { exporting in
            let ada = try await makePerson()
            let export = try await exporting.start(ada)
            func endTime() async throws {
                try await runAsAdministrator(
                    in: exportDatabase, "UPDATE users.exports SET expires_at = clock_timestamp() WHERE user_id = '\(ada.uuid)'")
            }
            try await endTime()

            #expect(try await exporting.exports.find(export.id, of: ada) == nil)
            try await exporting.jobs.write(ExportSubject(export: export.id, user: ada.uuid))
            let next = try await exporting.finish(try await exporting.start(ada), of: ada)
            #expect(next.id != export.id)
            try await endTime()
            #expect(try await exporting.exports.removeExpired() >= 1)
            let left = try await runAsAdministrator(
                in: exportDatabase, "SELECT count(*) FROM users.export_chunks WHERE user_id = '\(ada.uuid)'")
            #expect(left == "0")
        }
    }

    @Test func `that is too large is given up, and says so`() async throws {
        try await withExports { exporting in
            let ada = try await makePerson()
            var jobs = exporting.jobs
            jobs.mostBytes = 4_000
            let export = try await exporting.start(ada)

            try await jobs.write(ExportSubject(export: export.id, user: ada.uuid))

            let given = try #require(try await exporting.exports.find(export.id, of: ada))
            #expect(given.state == .failed)
            #expect(given.failure?.contains("4000") == true)
            #expect(given.byteCount == 0)
        }
    }

    @Test func `whose job was lost is taken up again`() async throws {
        try await withExports { exporting in
            let ada = try await makePerson()
            _ = try await exporting.start(ada)

            #expect(try await exporting.exports.resume(requestedBefore: .now() + .seconds(60)) >= 1)

            let events = try await runAsAdministrator(
                in: exportDatabase, "SELECT count(*) FROM users.outbox WHERE payload ->> 'user' ILIKE '\(ada.uuid)'")
            #expect(events == "2")
        }
    }

    @Test func `of somebody who leaves is not begun`() async throws {
        try await withExports { exporting in
            let ada = try await makePerson()
            try await runAsAdministrator(
                in: exportDatabase,
                """
                INSERT INTO users.erasures (id, requested_by) VALUES ('\(ada.uuid)', 'user');
                UPDATE users.users SET erasure_id = id WHERE id = '\(ada.uuid)'
                """)

            await #expect(throws: UsersError.accountGone) { try await exporting.start(ada) }
        }
    }
}
