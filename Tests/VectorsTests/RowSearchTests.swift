internal import Application
internal import Contracts
internal import Dispatch
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import TestSupport
internal import Testing
internal import Time

@testable internal import Vectors

@Suite struct `While an index is being built` {
    @Test(arguments: [VectorsV1.Metric.cosine, .euclidean, .innerProduct])
    func `searches find the same by the rows as by the index, and say so`(_ metric: VectorsV1.Metric) async throws {
        try await withVectorsDatabase { database in
            var generator = SeededGenerator(seed: 41)
            var model = Model()
            let queries = (0..<5).map { _ in generator.vector(8) }
            let wanted = try await database.withReplica { vectors in
                try await vectors.create("notes", dimension: 8, metric: metric)
                for _ in 0..<20 { try await vectors.change("notes", &model, using: &generator) }
                return try await vectors.answers("notes", queries)
            }

            try await withReplicaThatCannotBuild(over: database) { vectors in
                let found = try await vectors.answers("notes", queries)

                #expect(found.allSatisfy { $0.degraded && $0.exact })
                #expect(wanted.allSatisfy { !$0.degraded })
                #expect(found.map { $0.matches.map(\.id) } == wanted.map { $0.matches.map(\.id) })
                for (one, other) in zip(found.flatMap(\.matches), wanted.flatMap(\.matches)) {
                    #expect(abs(one.score - other.score) <= 1e-5)
                }
                #expect(found.map(\.position) == wanted.map(\.position))
            }
        }
    }

    @Test func `searches see what was just written, and what was deleted no more`() async throws {
        try await withVectorsDatabase { database in
            try await withReplicaThatCannotBuild(over: database) { vectors in
                try await vectors.create("notes")
                try await vectors.upsert([.at([1, 0, 0], "a"), .at([2, 0, 0], "b")], in: "notes")
                let position = try await vectors.delete(["a"], from: "notes").position

                let found = try await vectors.find(near: [1, 0, 0], in: "notes", minPosition: position)

                #expect(found.matches.map(\.id) == ["b"])
                #expect(found.degraded)
                await expect(.unavailable) { try await vectors.find(near: [1, 0, 0], in: "notes", minPosition: position + 1) }
            }
        }
    }

    @Test func `a collection over the bound is refused with a time to come again, and not called ready`() async throws {
        try await withVectorsDatabase { database in
            try await database.withReplica { vectors in
                try await vectors.create("notes")
                try await vectors.upsert((0..<3).map { .at([Float($0), 0, 0], "\($0)") }, in: "notes")
            }
            try await withReplicaThatCannotBuild(over: database, rows: .init(documents: 2)) { vectors in
                await #expect {
                    try await vectors.find(near: [1, 0, 0], in: "notes")
                } throws: { error in
                    let answer = RPCError.answering(error)
                    return answer.code == .unavailable && answer.message == "The collection's index is still being built."
                        && answer.statusDetails?.details.contains { $0.typeUrl.hasSuffix("RetryInfo") } == true
                }
                try await until { vectors.indexes.readinessProblem?.contains("notes has 0 of 3 documents") == true }
                await Deadline.with(.after(.milliseconds(200))) {
                    await expect(.unavailable) { try await vectors.delete(where: .exists("k"), from: "notes") }
                }
            }
            try await withReplicaThatCannotBuild(over: database, rows: .init(documents: 3)) { vectors in
                try await until { vectors.indexes.readinessProblem == nil }
                #expect(try await vectors.find(near: [1, 0, 0], in: "notes").matches.count == 3)
            }
        }
    }

    @Test func `a collection whose embeddings take more than the bound is refused, however few they are`() async throws {
        try await withVectorsDatabase { database in
            try await database.withReplica { vectors in
                try await vectors.create("narrow", dimension: 8)
                try await vectors.create("wide", dimension: 16)
                for (name, dimension) in [("narrow", 8), ("wide", 16)] {
                    try await vectors.upsert((1...3).map { .at(.along($0, dimension: dimension), "\($0)") }, in: name)
                }
            }
            // Three vectors of 16 components take 192 bytes, and three of 8 take 96.
            try await withReplicaThatCannotBuild(over: database, rows: .init(bytes: 191)) { vectors in
                await expect(.unavailable) { try await vectors.find(near: .along(1, dimension: 16), in: "wide") }
                #expect(try await vectors.find(near: .along(1, dimension: 8), in: "narrow").matches.count == 3)
                try await until { vectors.indexes.readinessProblem?.contains("wide has 0 of 3 documents") == true }
            }
            try await withReplicaThatCannotBuild(over: database, rows: .init(bytes: 192)) { vectors in
                try await until { vectors.indexes.readinessProblem == nil }
                #expect(try await vectors.find(near: .along(1, dimension: 16), in: "wide").matches.count == 3)
            }
        }
    }

    @Test func `a collection that takes long is searched all the same, and callers are let in for it`() async throws {
        try await withVectorsDatabase { database in
            try await database.withReplica { vectors in
                try await vectors.create("notes")
                // More than a page of rows, of which the nearest is the first that is read and the second nearest the last.
                for start in stride(from: 0, to: 1_100, by: 275) {
                    let notes = (start..<start + 275).map { number in
                        let distance: Int = number == 0 ? 0 : number == 1_099 ? 1 : number + 1
                        return VectorsV1.Document.at([1, Float(distance), 0], "\(number)", ["odd": "\(number % 2)"])
                    }
                    try await vectors.upsert(notes, in: "notes")
                }
            }
            try await withReplicaThatCannotBuild(over: database, rows: .init(documents: 2, mostDocuments: 1_100)) { vectors in
                let found = try await vectors.find(near: [1, 0, 0], in: "notes", limit: 3)
                let odd = try await vectors.find(near: [1, 0, 0], in: "notes", limit: 2, filter: ["odd": "1"])

                #expect(found.matches.map(\.id) == ["0", "1099", "1"])
                #expect(odd.matches.map(\.id) == ["1099", "1"])
                #expect(found.degraded && found.exact && odd.degraded && odd.exact)
                try await until { vectors.indexes.readinessProblem == nil }
            }
            try await withReplicaThatCannotBuild(over: database, rows: .init(documents: 2, mostDocuments: 1_099)) { vectors in
                try await until { vectors.indexes.readinessProblem?.contains("notes has 0 of 1100 documents") == true }
                await expect(.unavailable) { try await vectors.find(near: [1, 0, 0], in: "notes") }
            }
        }
    }

    @Test func `a collection whose texts take more than the bound is refused to who looks for words or filters, and to nobody else`() async throws {
        try await withVectorsDatabase { database in
            try await database.withReplica { vectors in
                try await vectors.create("notes")
                let notes = (1...3).map { VectorsV1.Document.at([Float($0), 0, 0], "\($0)", ["key": "twelve bytes"], content: "ten bytes.") }
                try await vectors.upsert(notes, in: "notes")
            }
            // The embeddings take 36 bytes, the contents 30 and the metadata 45.
            try await withReplicaThatCannotBuild(over: database, rows: .init(bytes: 44)) { vectors in
                let near = try await vectors.find(near: [1, 0, 0], in: "notes")
                let told = try await vectors.find(in: "notes", text: "ten")
                #expect(near.matches.count == 3)
                #expect(told.matches.count == 3)
                await expect(.unavailable) { try await vectors.find(near: [1, 0, 0], in: "notes", filter: ["key": "twelve bytes"]) }
            }
            try await withReplicaThatCannotBuild(over: database, rows: .init(bytes: 74)) { vectors in
                let near = try await vectors.find(near: [1, 0, 0], in: "notes", filter: ["key": "twelve bytes"])
                #expect(near.matches.count == 3)
                await expect(.unavailable) { try await vectors.find(in: "notes", filter: ["key": "twelve bytes"], text: "ten") }
            }
        }
    }

    @Test func `more searches by the rows than may run are refused`() async throws {
        try await withVectorsDatabase { database in
            try await withReplicaThatCannotBuild(over: database, rows: .init(searches: 1)) { vectors in
                try await vectors.create("notes")
                try await vectors.upsert([.at([1, 0, 0], "a")], in: "notes")

                let outcomes = await withTaskGroup(of: StatusCode?.self) { group in
                    for _ in 0..<40 {
                        group.addTask {
                            do {
                                return try await vectors.find(near: [1, 0, 0], in: "notes").degraded ? nil : .unknown
                            } catch {
                                return RPCError.answering(error).code
                            }
                        }
                    }
                    return await group.reduce(into: []) { $0.append($1) }
                }

                #expect(outcomes.contains(nil))
                #expect(outcomes.contains(.unavailable))
                #expect(Set(outcomes) == [nil, .unavailable])
                #expect(try await vectors.find(near: [1, 0, 0], in: "notes").matches.count == 1)
            }
        }
    }

    @Test(.timeLimit(.minutes(1))) func `searches that take long keep none out that is soon done`() async throws {
        try await withVectorsDatabase { database in
            let model = "sentence-transformers/all-MiniLM-L6-v2"
            try await database.withReplica { vectors in
                try await vectors.create("notes")
                try await vectors.upsert((0..<3).map { .at([Float($0), 0, 0], "\($0)") }, in: "notes")
                try await vectors.upsert([.at(.along(1), "a")], in: "drug_interactions", model: model)
            }
            try await withReplicaThatCannotBuild(over: database, rows: .init(documents: 2, mostDocuments: 3, searches: 1)) { vectors in
                let (refusals, refusal) = AsyncStream.makeStream(of: Void.self)
                let searches = try await PostgresServer.withClient(database.server.configuration(database: database.name)) { superuser in
                    try await superuser.transaction(tier: .batch) { holder in
                        // Where the rows of the long search are, and not those of a collection of the seed.
                        try await holder.execute("LOCK TABLE vectors.documents IN ACCESS EXCLUSIVE MODE")
                        let searches = (0..<2).map { _ in
                            Task { () async -> Void in
                                do { _ = try await vectors.find(near: [1, 0, 0], in: "notes") } catch { refusal.yield() }
                            }
                        }
                        // One was refused, so the other has the place.
                        for await _ in refusals { break }

                        let found = try await vectors.find(near: .along(1), in: "drug_interactions", model: model)

                        #expect(found.degraded && found.matches.map(\.id) == ["a"])
                        return searches
                    }
                }
                for search in searches { await search.value }
            }
        }
    }

    @Test func `searches are the index's from when it is there`() async throws {
        try await withVectorsDatabase { database in
            try await database.withReplica { vectors in
                try await vectors.create("notes")
                try await vectors.upsert([.at([1, 0, 0], "a")], in: "notes")
                _ = try await vectors.untilBuilt("notes")
                #expect(try await vectors.find(near: [1, 0, 0], in: "notes").degraded == false)
            }
        }
    }
}

/// Runs an instance of the service whose threads that build are taken meanwhile.
func withReplicaThatCannotBuild(
    over database: VectorsDatabase, snapshots: SnapshotStore? = nil, rows: RowSearch.Limits = .init(),
    _ body: (VectorsService) async throws -> Void
) async throws {
    let threads = ComputeThreads(name: "index", threads: 1, maxQueued: 64)
    let (begun, gate) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    async let taken: Void = threads.run { _ in
        begun.signal()
        gate.wait()
    }
    await begun.signalled()
    try await database.withReplica(snapshots: snapshots, indexThreads: threads, rows: rows) { vectors in
        // The replica ends once its jobs have.
        defer { gate.signal() }
        try await body(vectors)
    }
    try await taken
}
