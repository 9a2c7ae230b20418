internal import Application
internal import Contracts
internal import HNSW
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import TestSupport
internal import Testing
internal import Time

@testable internal import Vectors

/// Lends somebody without memories.
private func withPerson(_ body: (Person) async throws -> Void) async throws {
    try await withVectorsDatabase { database in
        try await database.withClient { try await body(Person($0)) }
    }
}

@Suite struct `A person's memory` {
    @Test(arguments: VectorColumns.allCases) func `is what was kept, for its person alone`(columns: VectorColumns) async throws {
        try await columns.withDatabase { database in
            try await database.withClient { postgres in
                let (ada, bob) = (Person(postgres), Person(postgres))
                let end = Instant.now() + .seconds(3_600)

                let kept = try await ada.keep([
                    .at(1, "one", type: "fact", importance: 0.75, until: end, ["place": "Ward 3"], typed: ["year": .number(2026)]),
                    .at(2, "two"),
                ])

                #expect((kept.insertedCount, kept.replacedCount, kept.position) == (2, 0, 1))
                let listed = try await ada.list().memories
                #expect(listed.map(\.id) == ["one", "two"])
                #expect(listed.map(\.importance) == [0.75, 0.5])
                #expect(listed.map(\.memoryType) == ["fact", "note"])
                #expect(listed[0].content == "content of one")
                #expect(listed[0].metadata == ["place": "Ward 3"])
                #expect(listed[0].typedMetadata == ["year": .init(kind: .number(2026))])
                #expect(listed[0].expiresAt == .init(end) && listed[1].expiresAt == nil)
                #expect(listed[0].createdAt != nil)
                #expect(try await ada.find(near: .along(2)).matches.map(\.memory?.id) == ["two", "one"])
                #expect(try await ada.find(near: .along(2)).matches.compactMap(\.memory) == [listed[1], listed[0]])
                #expect(try await bob.list().memories.isEmpty)
                #expect(try await bob.find(near: .along(1)).matches.isEmpty)
                #expect(try await bob.delete(["one"]).deletedCount == 0)
                // The same id is another memory of another person.
                try await bob.keep([.at(300, "one")])
                #expect(try await ada.delete(["one"]).deletedCount == 1)
                #expect(try await bob.list().memories.map(\.id) == ["one"])
            }
        }
    }

    @Test(arguments: VectorColumns.allCases) func `is compared by the components that its embedding has`(columns: VectorColumns) async throws {
        try await columns.withDatabase { database in
            try await database.withClient { postgres in
                let ada = Person(postgres)
                var random = SeededGenerator(seed: 7)
                let exact = try ExactIndex<String>(dimension: 384, metric: .cosine)
                var memories: [VectorsV1.NewMemory] = []
                for number in 0..<100 {
                    var memory = VectorsV1.NewMemory.at(0, "\(number)")
                    memory.embedding = random.vector(384)
                    // Any Float has to come back as it was: large, small, and with an exponent.
                    if number % 3 == 0 { memory.embedding = memory.embedding.map { $0 * 1e-30 } }
                    if number % 3 == 1 { memory.embedding = memory.embedding.map { $0 * 1e30 } }
                    try exact.insert(memory.embedding, for: memory.id)
                    memories.append(memory)
                }
                try await ada.keep(memories)

                for _ in 0..<20 {
                    let query = random.vector(384)
                    let found = try await ada.find(near: query, limit: 100)
                    let wanted = try exact.search(query, k: 100)
                    #expect(found.exact)
                    #expect(found.matches.map(\.memory?.id) == wanted.map(\.key))
                    #expect(zip(found.matches, wanted).allSatisfy { abs($0.score - $1.score) < 1e-5 })
                }
                let different = try await database.server.psql(
                    """
                    SELECT count(*) FROM vectors.vector_user_memories
                    WHERE components IS DISTINCT FROM vectors.components(embedding::text) OR length(components) <> 1536
                    """, database: database.name)
                #expect(different == "0")
            }
        }
    }

    @Test func `comes first of two equally near by its id, every time`() async throws {
        try await withPerson { ada in
            try await ada.keep(["d", "b", "a", "c"].map { .at(5, $0) })
            for _ in 0..<100 {
                #expect(try await ada.find(near: .along(9), limit: 3).matches.map(\.memory?.id) == ["a", "b", "c"])
            }
        }
    }

    @Test func `is another one than that whose id is equal to Swift and not to the table`() async throws {
        try await withPerson { ada in
            // "ṩ", once of one code point and once of three.
            let (one, other) = ("\u{1E69}", "s\u{323}\u{307}")

            let kept = try await ada.keep([.at(1, one), .at(2, other)])
            let found = try await ada.find(near: .along(2)).matches

            #expect(kept.insertedCount == 2)
            #expect(found.map { Array(($0.memory?.id ?? "").utf8) } == [Array(other.utf8), Array(one.utf8)])
            #expect(try await ada.delete([one]).deletedCount == 1)
            #expect(try await ada.find(near: .along(2)).matches.map { Array(($0.memory?.id ?? "").utf8) } == [Array(other.utf8)])
        }
    }

    @Test func `is found by its type, its importance and its metadata`() async throws {
        try await withPerson { ada in
            try await ada.keep([
                .at(1, "a", type: "fact", importance: 0, typed: ["year": .number(2020)]),
                .at(2, "b", type: "fact", importance: 1, typed: ["year": .number(2026)]),
                .at(3, "c", type: "plan", importance: 0.4, ["source": "visit"]),
            ])
            func found(
                _ types: [String] = [], _ least: Double = 0, _ filter: VectorsV1.Filter? = nil
            ) async throws -> [String?] {
                try await ada.find(near: .along(1), types: types, least: least, where: filter).matches.map(\.memory?.id)
            }

            #expect(try await found() == ["a", "b", "c"])
            #expect(try await found(["fact"]) == ["a", "b"])
            #expect(try await found(["fact", "plan", "none"]) == ["a", "b", "c"])
            #expect(try await found([], 0.4) == ["b", "c"])
            #expect(try await found(["fact"], 0.4) == ["b"])
            #expect(try await found([], 0, .range("year", from: .number(2021))) == ["b"])
            #expect(try await found(["fact"], 0, .noneOf([.exists("source")])) == ["a", "b"])
            #expect(try await found(["none"]) == [])
            #expect(try await ada.list(["plan"]).memories.map(\.id) == ["c"])
        }
    }

    @Test func `is listed in pages, each once`() async throws {
        try await withPerson { ada in
            let ids = (0..<25).map { "memory \($0 + 10)é" }
            try await ada.keep(ids.map { .at(1, $0) })

            var seen: [String] = []
            var token = ""
            repeat {
                let page = try await ada.list(size: 10, token: token)
                seen += page.memories.map(\.id)
                token = page.nextPageToken
            } while !token.isEmpty

            #expect(seen.sorted() == ids && Set(seen).count == 25)
            await expect(.invalidArgument, fields: ["page_token"]) { try await ada.list(token: "x") }
            let first = try await ada.list(size: 10).nextPageToken
            await expect(.invalidArgument, fields: ["page_token"]) { try await ada.list(["note"], token: first) }
            await expect(.invalidArgument, fields: ["page_size"]) { try await ada.list(size: -1) }
        }
    }

    @Test func `is listed in pages that fit into an answer`() async throws {
        try await withPerson { ada in
            let ids = (100..<200).map { "\($0)" }
            try await ada.keep(
                ids.map { id in
                    var memory = VectorsV1.NewMemory.at(1, id, ["notes": String(repeating: "x", count: 8_000)])
                    memory.content = String(repeating: "x", count: 32 << 10)
                    return memory
                })

            let first = try await ada.list()
            let second = try await ada.list(token: first.nextPageToken)

            #expect(first.memories.count < 80 && second.nextPageToken.isEmpty)
            #expect((first.memories + second.memories).map(\.id) == ids)
            let found = try await ada.find(near: .along(1), limit: 100).matches
            #expect((70..<80).contains(found.count))
        }
    }

    @Test func `is gone when it is deleted, by id, by what passes, or with all`() async throws {
        try await withVectorsDatabase { database in
            try await database.withClient { postgres in
                let ada = Person(postgres)
                try await ada.keep([
                    .at(1, "a", type: "fact"), .at(2, "b", type: "fact", typed: ["year": .number(2020)]), .at(3, "c"),
                    .at(4, "d", typed: ["year": .number(2026)]), .at(5, "e"),
                ])
                func left() async throws -> [String] { try await ada.list().memories.map(\.id) }

                let none = try await ada.delete(["z"])
                #expect((none.deletedCount, none.position) == (0, 1))
                let one = try await ada.delete(["a", "z", "a"])
                #expect((one.deletedCount, one.position) == (1, 2))
                #expect(try await ada.delete(types: ["fact"], where: .exists("year")).deletedCount == 1)
                #expect(try await left() == ["c", "d", "e"])
                #expect(try await ada.delete(where: .exists("year")).deletedCount == 1)
                #expect(try await left() == ["c", "e"])
                let all = try await ada.delete(all: true)
                #expect((all.deletedCount, all.position) == (2, 5))
                #expect(try await left() == [])
                #expect(try await ada.find(near: .along(1)).matches.isEmpty)

                // Of what is gone nothing is kept but ids of the last change, so that the position goes on.
                let rest = try await database.server.psql(
                    "SELECT count(*), count(*) FILTER (WHERE content = '' AND embedding IS NULL AND components IS NULL AND metadata = '{}') FROM vectors.vector_user_memories",
                    database: database.name)
                #expect(rest == "2|2")
                #expect(try await ada.keep([.at(1, "a")]).position == 6)
                #expect(try await ada.find(near: .along(1), minPosition: 6).position == 6)
            }
        }
    }

    @Test func `is found by whoever demands its position, at every replica`() async throws {
        try await withVectorsDatabase { database in
            try await database.withClient { first in
                try await database.withClient { second in
                    let ada = Person(first)
                    let elsewhere = MemoriesService(memories: MemoryRepository(postgres: second), threads: ada.service.threads)
                    for number in 0..<50 {
                        let kept = try await ada.keep([.at(number, "\(number)")])
                        let found = try await elsewhere.searchMemories(
                            .init(modelId: Person.model, embedding: .along(number), limit: 1, minPosition: kept.position),
                            context: ada.context)
                        #expect(found.matches.map(\.memory?.id) == ["\(number)"])
                        #expect(found.position >= kept.position)
                    }
                    // A position that nobody was given.
                    await expect(.unavailable) { try await ada.find(near: .along(1), minPosition: 51) }
                }
            }
        }
    }

    @Test func `gets a position that no other change of the person has, whoever writes at the same time`() async throws {
        try await withPerson { ada in
            let positions = try await withThrowingTaskGroup(of: Int64.self) { group in
                for number in 0..<20 {
                    group.addTask {
                        number % 4 == 3
                            ? try await ada.delete(all: true).position
                            : try await ada.keep([.at(number, "\(number)"), .at(number, "shared")]).position
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            // A deletion that finds nothing takes none.
            #expect(Set(positions).count >= 15 && positions.max() ?? 0 <= 20)
            #expect(try await ada.find(near: .along(1)).position == positions.max())
        }
    }

    @Test func `is one of so many at most`() async throws {
        try await withPerson { ada in
            for hundred in 0..<10 {
                try await ada.keep((0..<100).map { .at($0, "\(hundred * 100 + $0)") })
            }

            await expect(.resourceExhausted) { try await ada.keep([.at(1, "one more")]) }
            await expect(.resourceExhausted) { try await ada.keep([.at(1, "7"), .at(1, "one more")]) }
            let failure = RPCError.answering(VectorsError.tooManyMemories).detail(GoogleRPC.QuotaFailure.self)
            #expect(failure?.violations.map(\.subject) == ["user"])
            let replaced = try await ada.keep([.at(1, "7"), .at(1, "8")])
            #expect(replaced.replacedCount == 2)
            #expect(try await ada.find(near: .along(50), limit: 100).matches.count == 100)
            try await ada.delete(["9"])
            #expect(try await ada.keep([.at(1, "one more")]).insertedCount == 1)
        }
    }

    @Test func `is one of so many at most, whoever keeps others at the same time`() async throws {
        try await withPerson { ada in
            let kept = await withTaskGroup(of: Bool.self) { group in
                for hundred in 0..<14 {
                    group.addTask {
                        do {
                            try await ada.keep((0..<100).map { .at($0, "\(hundred * 100 + $0)") })
                            return true
                        } catch {
                            #expect(RPCError.answering(error).code == .resourceExhausted)
                            return false
                        }
                    }
                }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(kept == 10)
        }
    }

    @Test func `that breaks rules is not kept, and every field is named`() async throws {
        try await withPerson { ada in
            func bad(_ change: (inout VectorsV1.NewMemory) -> Void) -> VectorsV1.NewMemory {
                var memory = VectorsV1.NewMemory.at(1, "\(Int.random(in: 0..<Int.max))")
                change(&memory)
                return memory
            }
            let cases: [(VectorsV1.NewMemory, String)] = [
                (bad { $0.id = "" }, "id"), (bad { $0.id = String(repeating: "x", count: 129) }, "id"),
                (bad { $0.id = "a\u{1f}b" }, "id"), (bad { $0.content = "" }, "content"),
                (bad { $0.content = String(repeating: "x", count: 32 << 10 + 1) }, "content"),
                (bad { $0.embedding = [] }, "embedding"), (bad { $0.embedding.append(1) }, "embedding"),
                (bad { $0.embedding[3] = .nan }, "embedding"), (bad { $0.embedding[3] = .infinity }, "embedding"),
                (bad { $0.embedding = [Float](repeating: 0, count: 384) }, "embedding"),
                (bad { $0.memoryType = "" }, "memory_type"), (bad { $0.memoryType = "Fact" }, "memory_type"),
                (bad { $0.memoryType = String(repeating: "x", count: 65) }, "memory_type"),
                (bad { $0.importance = 1.01 }, "importance"), (bad { $0.importance = .nan }, "importance"),
                (bad { $0.expiresAt = .init(seconds: .max) }, "expires_at"),
                (bad { $0.metadata = ["key": String(repeating: "x", count: 9 << 10)] }, "metadata"),
                (bad { $0.metadata = ["": "x"] }, "metadata"),
            ]
            await expect(.invalidArgument, fields: Set(cases.enumerated().map { "memories[\($0)].\($1.1)" })) {
                try await ada.keep(cases.map(\.0))
            }
            await expect(.invalidArgument, fields: ["memories[1].id"]) { try await ada.keep([.at(1, "a"), .at(2, "a")]) }
            await expect(.invalidArgument, fields: ["memories"]) { try await ada.keep([]) }
            await expect(.invalidArgument, fields: ["memories"]) { try await ada.keep((0...100).map { .at(1, "\($0)") }) }
            await expect(.invalidArgument, fields: ["model_id"]) { try await ada.keep([.at(1, "a")], model: "another") }
            let kept = try await ada.list().memories
            #expect(kept.isEmpty)
        }
    }

    @Test func `is not looked for by what makes no sense`() async throws {
        try await withPerson { ada in
            await expect(.invalidArgument, fields: ["embedding", "limit", "memory_types[1]", "min_importance", "min_position"]) {
                try await ada.find(near: [1], limit: 101, types: ["fact", "No"], least: 2, minPosition: -1)
            }
            await expect(.invalidArgument, fields: ["limit"]) { try await ada.find(near: .along(1), limit: .max) }
            await expect(.invalidArgument, fields: ["min_importance"]) { try await ada.find(near: .along(1), least: .nan) }
            await expect(.invalidArgument, fields: ["memory_types"]) {
                try await ada.find(near: .along(1), types: (0...16).map { "type\($0)" })
            }
            var deep = VectorsV1.Filter.exists("x")
            for _ in 0..<16 { deep = .allOf([deep]) }
            await expect(.invalidArgument, fields: ["where" + String(repeating: ".all_of.filters[0]", count: 16)]) {
                try await ada.find(near: .along(1), where: deep)
            }
            await expect(.invalidArgument, fields: ["model_id"]) { try await ada.find(near: .along(1), model: "") }
            await expect(.invalidArgument, fields: ["ids"]) { try await ada.delete() }
            await expect(.invalidArgument, fields: ["ids"]) { try await ada.delete(["a"], all: true) }
            await expect(.invalidArgument, fields: ["ids"]) { try await ada.delete(types: ["fact"], all: true) }
            await expect(.invalidArgument, fields: ["ids"]) { try await ada.delete((0...1_000).map { "\($0)" }) }
            await expect(.invalidArgument, fields: ["ids[0]"]) { try await ada.delete([""]) }
        }
    }

    @Test func `of another model is told both models`() async throws {
        try await withPerson { ada in
            let error = await #expect(throws: VectorsError.self) { try await ada.find(near: .along(1), model: "MedCPT") }

            #expect(error?.rpcError.message.contains("MedCPT") == true)
            #expect(error?.rpcError.message.contains(Person.model) == true)
        }
    }
}
