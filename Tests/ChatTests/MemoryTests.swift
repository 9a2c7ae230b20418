internal import Application
internal import Contracts
internal import Foundation
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import Testing
internal import Time

@testable internal import Chat

/// Lends the service of memories and two people.
private func withMemories(_ body: (MemoriesService, _ ada: Caller, _ bob: Caller) async throws -> Void) async throws {
    try await withChatDatabase { postgres in
        try await body(MemoriesService(memories: MemoryRepository(postgres: postgres)), Caller(), Caller())
    }
}

extension MemoriesService {
    @discardableResult
    fileprivate func remember(
        _ content: String, as clientID: String? = nil, _ category: ChatV1.MemoryCategory = .medication, importance: Double? = nil,
        until expiresAt: Instant? = nil, insteadOf old: ChatV1.Memory? = nil, by caller: Caller
    ) async throws -> ChatV1.RememberResponse {
        try await remember(
            .init(
                clientId: clientID ?? UUID().uuidString, category: category, content: content, importance: importance,
                expiresAt: expiresAt.map { .init($0) }, supersedes: old?.id),
            context: caller.context)
    }

    fileprivate func current(of caller: Caller, at moment: Instant? = nil) async throws -> [String] {
        try await listMemories(.init(asOf: moment.map { .init($0) }), context: caller.context).memories.map(\.content)
    }

    fileprivate func found(_ words: String, by caller: Caller, at moment: Instant? = nil) async throws -> [String] {
        try await searchMemories(.init(query: words, asOf: moment.map { .init($0) }), context: caller.context)
            .memories.compactMap(\.memory?.content)
    }
}

extension ChatV1.Memory {
    fileprivate var began: Instant? { createdAt.flatMap { Instant($0) } }
}

@Suite struct `A memory` {
    @Test func `is kept once for one client id, and once for what is known already`() async throws {
        try await withMemories { service, ada, bob in
            let first = try await service.remember("Takes metoprolol", as: "a", importance: 0.8, by: ada)
            let again = try await service.remember("Takes something else", as: "a", by: ada)
            let same = try await service.remember("Takes metoprolol", as: "b", by: ada)
            let elsewhere = try await service.remember("Takes metoprolol", as: "c", .goal, by: ada)
            let bobs = try await service.remember("Takes metoprolol", as: "a", by: bob)

            #expect(first.created && !again.created && !same.created && elsewhere.created && bobs.created)
            #expect(again.memory == first.memory && same.memory == first.memory)
            #expect(first.memory?.importance == 0.8)
            #expect(try await service.current(of: ada) == ["Takes metoprolol", "Takes metoprolol"])
            #expect(try await service.current(of: bob) == ["Takes metoprolol"])
        }
    }

    @Test func `that comes in the place of another is found alone, and the other stays history`() async throws {
        try await withMemories { service, ada, _ in
            let old = try #require(try await service.remember("Takes 50 mg metoprolol", by: ada).memory)
            let new = try #require(try await service.remember("Takes 100 mg metoprolol", insteadOf: old, by: ada).memory)
            let newest = try #require(try await service.remember("Takes no metoprolol", insteadOf: new, by: ada).memory)
            let history = try await service.listMemoryHistory(.init(memoryId: new.id), context: ada.context).memories
            let everything = try await service.listMemories(.init(includeHistory: true), context: ada.context).memories

            #expect(try await service.current(of: ada) == ["Takes no metoprolol"])
            #expect(try await service.found("metoprolol", by: ada) == ["Takes no metoprolol"])
            #expect(history.map(\.content) == ["Takes 50 mg metoprolol", "Takes 100 mg metoprolol", "Takes no metoprolol"])
            #expect(history.map(\.supersededBy) == [new.id, newest.id, nil])
            #expect(everything.map(\.id) == [newest.id, new.id, old.id])

            // At each moment one of them was current: from when it began until the next did.
            for (memory, moment) in [(old, old.began), (new, new.began), (newest, newest.began)] {
                let moment = try #require(moment)
                #expect(try await service.current(of: ada, at: moment) == [memory.content])
                #expect(try await service.found("metoprolol", by: ada, at: moment) == [memory.content])
            }
            let justBefore = try #require(new.began) - .microseconds(1)
            #expect(try await service.current(of: ada, at: justBefore) == [old.content])
        }
    }

    @Test func `has its history in pages, also while another takes its place`() async throws {
        try await withMemories { service, ada, bob in
            var newest: ChatV1.Memory?
            for number in 0..<5 { newest = try await service.remember("Weighs \(80 - number) kg", insteadOf: newest, by: ada).memory }
            let id = try #require(newest?.id)
            var contents: [String] = []
            var token = ""
            repeat {
                let page = try await service.listMemoryHistory(.init(memoryId: id, pageSize: 2, pageToken: token), context: ada.context)
                contents += page.memories.map(\.content)
                if token.isEmpty { newest = try await service.remember("Weighs 75 kg", insteadOf: newest, by: ada).memory }
                token = page.nextPageToken
            } while !token.isEmpty

            #expect(contents == (75...80).reversed().map { "Weighs \($0) kg" })
            let first = try await service.listMemoryHistory(.init(memoryId: id, pageSize: 1), context: ada.context).nextPageToken
            await expect(.notFound) { try await service.listMemoryHistory(.init(memoryId: id, pageToken: first), context: bob.context) }
            let other = try #require(newest?.id)
            await expect(.invalidArgument, fields: ["page_token"]) {
                try await service.listMemoryHistory(.init(memoryId: other, pageToken: first), context: ada.context)
            }
            await expect(.invalidArgument, fields: ["memory_id", "page_size"]) {
                try await service.listMemoryHistory(.init(memoryId: "x", pageSize: -1), context: ada.context)
            }
        }
    }

    @Test func `takes the place of another once, whoever comes first`() async throws {
        try await withMemories { service, ada, bob in
            let old = try #require(try await service.remember("Smokes", .lifestyle, by: ada).memory)
            let codes = await withTaskGroup(of: StatusCode?.self) { group in
                for writer in 0..<10 {
                    group.addTask {
                        do {
                            _ = try await service.remember("Stopped \(writer)", .lifestyle, insteadOf: old, by: ada)
                            return nil
                        } catch { return RPCError.answering(error).code }
                    }
                }
                return await group.reduce(into: [StatusCode?]()) { $0.append($1) }
            }

            #expect(codes.count { $0 == nil } == 1)
            #expect(codes.count { $0 == .aborted } == 9)
            #expect(try await service.current(of: ada).count == 1)
            await expect(.notFound) { try await service.remember("Stopped", insteadOf: old, by: bob) }
            #expect(try await service.current(of: bob).isEmpty)
        }
    }

    @Test func `that says again what is known ends the one in whose place it comes`() async throws {
        try await withMemories { service, ada, _ in
            let wrong = try #require(try await service.remember("Allergic to penicilin", .allergy, by: ada).memory)
            let right = try #require(try await service.remember("Allergic to penicillin", .allergy, by: ada).memory)
            let merged = try await service.remember("Allergic to penicillin", .allergy, insteadOf: wrong, by: ada)
            let itself = try await service.remember("Allergic to penicillin", .allergy, insteadOf: right, by: ada)

            #expect(merged.memory == right && !merged.created && !itself.created)
            #expect(try await service.current(of: ada) == ["Allergic to penicillin"])
        }
    }

    @Test func `that has expired is not current, and was`() async throws {
        try await withMemories { service, ada, _ in
            let end = Instant.now() + .seconds(3_600)
            let began = try #require(try await service.remember("Has a cold", .symptom, until: end, by: ada).memory?.began)
            #expect(try await service.current(of: ada) == ["Has a cold"])
            #expect(try await service.found("cold", by: ada) == ["Has a cold"])

            try await service.memories.letPass(7_200, of: ada)
            let short = began - .seconds(7_200)

            #expect(try await service.current(of: ada).isEmpty)
            #expect(try await service.found("cold", by: ada).isEmpty)
            #expect(try await service.found("cold", by: ada, at: short) == ["Has a cold"])
            // It is no reason not to learn the same thing anew.
            #expect(try await service.remember("Has a cold", .symptom, by: ada).created)
        }
    }

    @Test func `is forgotten by the id that a search gives, and does not bring back what it superseded`() async throws {
        try await withMemories { service, ada, bob in
            let old = try #require(try await service.remember("Lives in Bonn", .other, by: ada).memory)
            try await service.remember("Lives in Köln", .other, insteadOf: old, by: ada)
            let found = try await service.searchMemories(.init(query: "Köln"), context: ada.context).memories
            let id = try #require(found.first?.memory?.id)

            #expect(try await service.forgetMemories(.init(memoryIds: [id]), context: bob.context).forgottenCount == 0)
            #expect(try await service.forgetMemories(.init(memoryIds: [id]), context: ada.context).forgottenCount == 1)
            #expect(try await service.forgetMemories(.init(memoryIds: [id]), context: ada.context).forgottenCount == 0)
            #expect(try await service.found("lives", by: ada).isEmpty)
            await expect(.notFound) { try await service.listMemoryHistory(.init(memoryId: id), context: ada.context) }
            let history = try await service.listMemoryHistory(.init(memoryId: old.id), context: ada.context).memories
            #expect(history.count == 1 && history.first?.supersededAt != nil && history.first?.supersededBy == nil)
        }
    }

    @Test func `is found by any of the words, the better the newer and the more important`() async throws {
        try await withMemories { service, ada, bob in
            try await service.remember("Walks the dog every morning", .lifestyle, importance: 0.9, by: ada)
            try await service.remember("Takes metoprolol every morning", importance: 0.2, by: ada)
            try await service.remember("Takes metoprolol", importance: 0.2, by: ada)
            try await service.remember("Once took metoprolol", importance: 0.9, by: ada)
            try await service.remember("Takes metoprolol", by: bob)

            let both = try await service.searchMemories(.init(query: "metoprolol in the mornings?"), context: ada.context).memories
            #expect(both.first?.memory?.content == "Takes metoprolol every morning")
            #expect(both.count == 4)
            let one = try await service.searchMemories(.init(query: "\"metoprolol\" -or or"), context: ada.context).memories
            #expect(one.map(\.memory?.content).first == "Once took metoprolol")
            for found in both + one {
                let expected = found.relevance * (1 + found.recency) / 2 * (1 + (found.memory?.importance ?? 0)) / 2
                #expect(abs(found.score - expected) < 1e-12 && found.recency > 0.999)
            }
            let important = try await service.searchMemories(.init(query: "morning", leastImportance: 0.9), context: ada.context)
            #expect(important.memories.map(\.memory?.content) == ["Walks the dog every morning"])
            let ofKind = try await service.searchMemories(.init(query: "morning", categories: [.medication]), context: ada.context)
            #expect(ofKind.memories.map(\.memory?.content) == ["Takes metoprolol every morning"])
            #expect(try await service.found("the and of", by: ada).isEmpty)
            #expect(try await service.found("'; DROP TABLE chat.patient_memories; --", by: ada).isEmpty)
        }
    }

    @Test func `that is old counts half after 180 days, and is found in the far future too`() async throws {
        try await withMemories { service, ada, _ in
            let memory = try #require(try await service.remember("Takes metoprolol", by: ada).memory)
            let began = try #require(memory.began)
            for (days, recency) in [(0, 1.0), (180, 0.5), (360, 0.25)] {
                let later = GoogleProtobuf.Timestamp(began + .seconds(days * 86_400))
                let found = try await service.searchMemories(.init(query: "metoprolol", asOf: later), context: ada.context).memories
                #expect(abs((found.first?.recency ?? 0) - recency) < 1e-9)
            }
            let end = GoogleProtobuf.Timestamp(seconds: 253_402_300_799, nanos: 0)
            #expect(try await service.searchMemories(.init(query: "metoprolol", asOf: end), context: ada.context).memories.count == 1)
        }
    }

    @Test func `is found again as of the moment that a search tells`() async throws {
        try await withMemories { service, ada, _ in
            let none = try await service.searchMemories(.init(query: "metoprolol"), context: ada.context)
            let old = try #require(try await service.remember("Takes 50 mg metoprolol", importance: 0.2, by: ada).memory)
            let end = Instant.now() + .seconds(3_600)
            try await service.remember("Metoprolol makes dizzy", .symptom, until: end, by: ada)
            let then = try await service.searchMemories(.init(query: "metoprolol"), context: ada.context)
            let moment = try #require(then.asOf)
            try await service.remember("Takes 100 mg metoprolol", insteadOf: old, by: ada)
            try await service.remember("Asked for another metoprolol", .other, importance: 1, by: ada)

            let again = try await service.searchMemories(.init(query: "metoprolol", asOf: moment), context: ada.context)
            let before = try await service.searchMemories(.init(query: "metoprolol", asOf: none.asOf), context: ada.context)

            #expect(then.memories.count == 2 && again.asOf == moment)
            #expect(again.memories.map(\.memory?.id) == then.memories.map(\.memory?.id))
            #expect(again.memories.map(\.score) == then.memories.map(\.score))
            #expect(none.asOf != nil && before.memories.isEmpty)
        }
    }

    @Test func `is listed in pages`() async throws {
        try await withMemories { service, ada, _ in
            for number in 0..<7 { try await service.remember("Memory \(number)", by: ada) }
            var contents: [String] = []
            var token = ""
            repeat {
                let page = try await service.listMemories(.init(pageSize: 3, pageToken: token), context: ada.context)
                contents += page.memories.map(\.content)
                token = page.nextPageToken
            } while !token.isEmpty

            #expect(contents == (0..<7).reversed().map { "Memory \($0)" })
            let first = try await service.listMemories(.init(pageSize: 3), context: ada.context).nextPageToken
            for request in [
                ChatV1.ListMemoriesRequest(category: .allergy, pageToken: first), .init(includeHistory: true, pageToken: first),
                .init(asOf: .init(.now()), pageToken: first),
            ] {
                await expect(.invalidArgument, fields: ["page_token"]) { try await service.listMemories(request, context: ada.context) }
            }
        }
    }

    @Test func `is listed in pages that fit into an answer`() async throws {
        try await withMemories { service, ada, _ in
            // 40 kB of words and 54 kB of numbers each.
            let notes = GoogleProtobuf.Struct.zeros(5_000)
            for number in 0..<36 {
                let request = ChatV1.RememberRequest(
                    clientId: "\(number)", category: .other, content: "Memory \(number) " + String(repeating: "😀", count: 9_980), metadata: notes)
                _ = try await service.remember(request, context: ada.context)
            }
            var sizes: [Int] = []
            var ids: Set<String> = []
            var token = ""
            repeat {
                let page = try await service.listMemories(.init(pageSize: 100, pageToken: token), context: ada.context)
                #expect(try page.serialized().count < 4 << 20)
                sizes.append(page.memories.count)
                ids.formUnion(page.memories.map(\.id))
                token = page.nextPageToken
            } while !token.isEmpty

            #expect(sizes.count == 2 && sizes.reduce(0, +) == 36 && ids.count == 36)
            let found = try await service.searchMemories(.init(query: "memory", limit: 100), context: ada.context).memories
            #expect((30..<36).contains(found.count))
        }
    }

    @Test func `that breaks a rule is refused by the field`() async throws {
        try await withMemories { service, ada, _ in
            await expect(.invalidArgument, fields: ["client_id", "category", "content", "importance", "expires_at", "supersedes"]) {
                try await service.remember(
                    .init(
                        content: String(repeating: "x", count: 10_001), importance: .nan, expiresAt: .init(.now() - .seconds(1)),
                        supersedes: "x"),
                    context: ada.context)
            }
            await expect(.invalidArgument, fields: ["query", "categories[0]", "least_importance", "limit"]) {
                try await service.searchMemories(
                    .init(query: "", categories: [.unspecified], leastImportance: 1.1, limit: 101), context: ada.context)
            }
            await expect(.invalidArgument, fields: ["include_history", "page_size"]) {
                try await service.listMemories(.init(asOf: .init(.now()), includeHistory: true, pageSize: -1), context: ada.context)
            }
            await expect(.invalidArgument, fields: ["memory_ids"]) { try await service.forgetMemories(.init(), context: ada.context) }
            await expect(.invalidArgument, fields: ["memory_ids[1]"]) {
                try await service.forgetMemories(.init(memoryIds: [UUID().uuidString, "x"]), context: ada.context)
            }
        }
    }
}
