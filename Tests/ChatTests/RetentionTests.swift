internal import Application
internal import Foundation
internal import Logging
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import Chat

/// One after another: they share the tables, and whoever works sees everybody's threads.
@Suite(.serialized) struct `Deleting by age` {
    private func schedule(_ store: CheckpointStore, history: Duration = .seconds(3_600), thread: Duration = .zero) -> RetentionSchedule {
        RetentionSchedule(
            store: store, settings: .init(historyLife: history, threadLife: thread),
            logger: quiet)
    }

    private func keep(_ count: UInt64, in thread: ThreadName, of user: UUID, _ store: CheckpointStore) async throws {
        for number in 1...count {
            let value = [UInt8](repeating: 5, count: 3_000) + Array("\(number)".utf8)
            _ = try await store.put(
                .making(
                    CheckpointIDs.id(number), of: thread, after: number == 1 ? nil : CheckpointIDs.id(number - 1),
                    [("messages", "\(number)", .new(.bytes(value)))]), of: user)
        }
    }

    private func age(_ thread: ThreadName, of user: UUID, by interval: String, _ store: CheckpointStore) async throws {
        let changed = try await store.postgres.execute(
            "UPDATE chat.checkpoint_threads SET used_at = used_at - \(interval)::text::interval WHERE thread_id = \(thread.text)", identity: .user(user))
        #expect(changed == 1)
    }

    private func ids(_ store: CheckpointStore, of user: UUID) async throws -> [String: Int] {
        let page = try await store.page(CheckpointList(limit: 100), of: user)
        return Dictionary(grouping: page.checkpoints, by: \.row.threadName).mapValues(\.count)
    }

    @Test func `leaves the newest of threads that nobody has used for long, and all of the others`() async throws {
        try await withCheckpoints { store in
            let (ada, bob) = (UUID(), UUID())
            let (old, recent) = (ThreadName.make(), ThreadName.make())
            try await keep(4, in: old, of: ada, store)
            try await keep(3, in: recent, of: ada, store)
            try await keep(5, in: old, of: bob, store)
            try await age(old, of: ada, by: "2 hours", store)
            try await age(old, of: bob, by: "3 hours", store)

            let done = try await schedule(store).turn()

            #expect(done == .init(pruned: 2, deleted: 0, failed: 0))
            #expect(try await ids(store, of: ada) == [old.text: 1, recent.text: 3])
            #expect(try await ids(store, of: bob) == [old.text: 1])
            // Until it is used again there is nothing to do.
            #expect(try await schedule(store).turn() == .init())
            try await keep(6, in: old, of: ada, store)
            try await age(old, of: ada, by: "2 hours", store)
            #expect(try await schedule(store).turn().pruned == 1)
            #expect(try await ids(store, of: ada) == [old.text: 1, recent.text: 3])
        }
    }

    @Test func `deletes threads whole after longer, if that is asked for`() async throws {
        try await withCheckpoints { store in
            let (ada, older, old) = (UUID(), ThreadName.make(), ThreadName.make())
            for thread in [older, old] { try await keep(2, in: thread, of: ada, store) }
            try await age(older, of: ada, by: "30 days", store)
            try await age(old, of: ada, by: "3 days", store)

            let done = try await schedule(store, history: .seconds(86_400), thread: .seconds(20 * 86_400)).turn()

            #expect(done == .init(pruned: 1, deleted: 1, failed: 0))
            #expect(try await ids(store, of: ada) == [old.text: 1])
            #expect(try await store.bytesKept(of: ada) ?? 0 > 0)
        }
    }

    @Test func `comes to an end where checkpoints are each other's parents`() async throws {
        try await withCheckpoints { store in
            let (ada, old) = (UUID(), ThreadName.make())
            let metadata = #"{"counters_since_delta_snapshot": {"messages": 1}}"#
            for (id, parent) in [(1, 3), (2, 1), (3, 2)] as [(UInt64, UInt64)] {
                _ = try await store.put(.making(CheckpointIDs.id(id), of: old, after: CheckpointIDs.id(parent), metadata: metadata), of: ada)
            }
            try await age(old, of: ada, by: "2 hours", store)

            let done = try await schedule(store).turn()

            #expect(done == .init(pruned: 1, deleted: 0, failed: 0))
            #expect(try await ids(store, of: ada) == [old.text: 3])
        }
    }

    @Test func `is done by one replica at a time`() async throws {
        try await withCheckpoints { store in
            let (ada, old) = (UUID(), ThreadName.make())
            try await keep(3, in: old, of: ada, store)
            try await age(old, of: ada, by: "2 hours", store)

            try await store.postgres.transaction { transaction in
                let hasBegun = try await transaction.first(.beginRetention)?.value
                #expect(hasBegun == true)
                let done = try await schedule(store).turn()
                #expect(done == .init())
            }

            #expect(try await ids(store, of: ada) == [old.text: 3])
            #expect(try await schedule(store).turn().pruned == 1)
        }
    }

    @Test func `leaves a thread alone that is used meanwhile`() async throws {
        try await withCheckpoints { store in
            let (ada, old) = (UUID(), ThreadName.make())
            try await keep(3, in: old, of: ada, store)

            #expect(try await store.prune(old, .keepLatest, unusedFor: .seconds(3_600), of: ada) == 0)
            #expect(try await ids(store, of: ada) == [old.text: 3])
        }
    }
}
