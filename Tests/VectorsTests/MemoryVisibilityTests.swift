internal import Application
internal import Contracts
internal import Foundation
internal import Logging
internal import Migrations
internal import Postgres
internal import TestSupport
internal import Testing
internal import Time

@testable internal import Vectors

@Suite struct `A memory that is not to be seen` {
    /// What a SELECT as the person shows.
    private func selected(_ person: Person, _ postgres: Postgres, served: Bool) async throws -> Set<String> {
        let condition: Query = served ? "deleted_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())" : "true"
        let rows = try await postgres.rows(
            "SELECT id FROM vectors.vector_user_memories WHERE \(condition)", as: Scalar<String>.self, identity: .user(person.id),
            mode: .readOnly)
        return Set(rows.map(\.value))
    }

    private func randomPolicy(_ people: [Person], _ random: inout SeededGenerator) -> String {
        let person = people.randomElement(using: &random)?.id.uuidString ?? ""
        let bound = Double.random(in: 0...1, using: &random)
        return [
            "abs(hashtext(id)) % 3 <> \(Int.random(in: 0..<3, using: &random))", "importance >= \(bound)", "importance < \(bound)",
            "memory_type <> 'fact'", "user_id <> '\(person)'", "metadata ? 'source'", "abs(hashtext(content)) % 2 = 0", "false", "true",
            "position % 2 = \(Int.random(in: 0..<2, using: &random))",
        ].randomElement(using: &random) ?? "true"
    }

    /// Whatever the policies, a search finds what a SELECT shows, and nothing else.
    @Test(arguments: [1, 2, 3] as [UInt64]) func `by a policy of rows is in no search, whatever the policy`(seed: UInt64) async throws {
        try await withVectorsDatabase { database in
            try await database.withClient { postgres in
                var random = SeededGenerator(seed: seed)
                let people = (0..<4).map { _ in Person(postgres) }
                let table = "vectors.vector_user_memories"
                var (shown, kept) = (0, 0)
                for round in 0..<12 {
                    for person in people {
                        var memories: [String: VectorsV1.NewMemory] = [:]
                        for _ in 0..<20 {
                            let id = "\(Int.random(in: 0..<60, using: &random))"
                            let milliseconds = Int.random(in: -500...4_000, using: &random)
                            memories[id] = .at(
                                Int.random(in: 0..<384, using: &random), id, type: Bool.random(using: &random) ? "fact" : "plan",
                                importance: Double.random(in: 0...1, using: &random),
                                until: Int.random(in: 0..<4, using: &random) == 0 ? .now() + .milliseconds(milliseconds) : nil,
                                Bool.random(using: &random) ? ["source": "visit"] : [:])
                        }
                        try await person.keep(Array(memories.values))
                        try await person.delete((0..<5).map { _ in "\(Int.random(in: 0..<60, using: &random))" })
                    }
                    // Time only takes away: no more are shown than there were.
                    for person in people { kept += try await person.list().memories.count }
                    let policy = randomPolicy(people, &random)
                    try await database.server.psql(
                        "CREATE POLICY random ON \(table) AS RESTRICTIVE FOR SELECT USING (\(policy))", database: database.name)

                    for person in people {
                        let filter: VectorsV1.Filter? = Bool.random(using: &random) ? .exists("source") : nil
                        let query = [Float].along(Int.random(in: 0..<384, using: &random))
                        let before = try await selected(person, postgres, served: true)
                        let found = Set(try await person.find(near: query, limit: 100, where: filter).matches.compactMap(\.memory?.id))
                        let listed = Set(try await person.list().memories.map(\.id))
                        let after = try await selected(person, postgres, served: true)
                        let all = try await selected(person, postgres, served: false)

                        #expect(found.isSubset(of: before), "seed \(seed), round \(round): \(policy)")
                        #expect(found.isSubset(of: all) && listed.isSubset(of: before))
                        // Between the two nothing but time passes, so what is there still was there.
                        if filter == nil { #expect(after.isSubset(of: found), "seed \(seed), round \(round): \(policy)") }
                        #expect(after.isSubset(of: listed))
                        shown += listed.count
                    }
                    try await database.server.psql("DROP POLICY random ON \(table)", database: database.name)
                }
                // The policies have shown some and hidden some.
                #expect(shown > 0 && shown < kept)
            }
        }
    }

    @Test func `because its time has passed is served by no method, though nothing has removed it`() async throws {
        try await withVectorsDatabase { database in
            try await database.withClient { postgres in
                let ada = Person(postgres)
                let now = Instant.now()
                try await ada.keep([
                    .at(1, "stays"), .at(2, "past", until: now - .seconds(1)), .at(3, "soon", until: now + .seconds(3_600)),
                    .at(4, "later", until: now + .seconds(3_600)),
                ])
                #expect(try await ada.find(near: .along(3)).matches.map(\.memory?.id) == ["soon", "later", "stays"])
                // From here on only time passes, until it has.
                try await database.server.psql(
                    """
                    UPDATE vectors.vector_user_memories SET expires_at = clock_timestamp() + interval '300 milliseconds' WHERE id = 'soon'
                    """, database: database.name)

                try await untilTrue { try await Set(ada.find(near: .along(3)).matches.compactMap(\.memory?.id)) == ["stays", "later"] }
                #expect(try await Set(ada.list().memories.map(\.id)) == ["stays", "later"])

                let rows = try await database.server.psql(
                    "SELECT count(*) FROM vectors.vector_user_memories WHERE deleted_at IS NULL", database: database.name)
                #expect(rows == "4")
                // The next change empties them, and they count no more.
                try await ada.keep([.at(5, "new")])
                let emptied = try await database.server.psql(
                    "SELECT string_agg(id, ' ' ORDER BY id) FROM vectors.vector_user_memories WHERE content = 'content of ' || id",
                    database: database.name)
                #expect(emptied == "later new stays")
            }
        }
    }

    @Test func `because its time has passed is emptied by the clock, whoever's it is`() async throws {
        try await withVectorsDatabase { database in
            try await database.withClient { postgres in
                let people = (0..<3).map { _ in Person(postgres) }
                for person in people {
                    try await person.keep((0..<10).map { .at($0, "past \($0)", until: .now() - .seconds(1)) } + [.at(1, "stays")])
                }
                let expiry = MemoryExpiry(postgres: postgres, logger: Logger(label: "expiry"), batch: 4)

                #expect(try await expiry.emptyExpired() == 30)
                #expect(try await expiry.emptyExpired() == 0)

                let kept = try await database.server.psql(
                    "SELECT count(*) FROM vectors.vector_user_memories WHERE content <> '' OR embedding IS NOT NULL", database: database.name)
                #expect(kept == "3")
                for person in people {
                    #expect(try await person.find(near: .along(1), minPosition: 1).matches.map(\.memory?.id) == ["stays"])
                }
            }
        }
    }

    @Test(arguments: VectorColumns.allCases)
    func `was kept before there were columns for it, and keeps its end`(columns: VectorColumns) async throws {
        try await columns.withDatabase { database in
            try await database.withOwner { migrator in _ = try await migrator.down(to: "20261129_archives") }
            try await database.withClient { postgres in
                let ada = Person(postgres)
                let embedding = EmbeddingText.encode(.along(1))
                let later = Instant.now() + .seconds(3_600)
                try await database.server.psql(
                    """
                    INSERT INTO vectors.vector_user_memories (user_id, id, content, embedding, metadata, position)
                    SELECT '\(ada.id)', id, 'content of ' || id, vectors.embedding('\(embedding)'), metadata::jsonb, 1 FROM (VALUES
                        ('always', '{"source": "visit"}'), ('later', '{"expires_at_us": "\(later.microsecondsSinceEpoch)"}'),
                        ('past', '{"expires_at_us": "1"}'), ('odd', '{"expires_at_us": "tomorrow"}')) AS memories (id, metadata)
                    """, database: database.name)

                try await database.withOwner { migrator in _ = try await migrator.up() }

                let found = try await ada.find(near: .along(1))
                #expect(found.matches.map(\.memory?.id) == ["always", "later"])
                #expect(found.matches.map(\.memory?.metadata) == [["source": "visit"], [:]])
                #expect(found.matches[1].memory?.expiresAt == .init(later))
                // There and back again.
                try await database.withOwner { migrator in
                    _ = try await migrator.down(to: "20261129_archives")
                    _ = try await migrator.up()
                }
                let again = try await ada.find(near: .along(1))
                #expect(again.matches.map(\.memory?.id) == ["always", "later"])
                #expect(again.matches[1].memory?.expiresAt == .init(later))
            }
        }
    }

    @Test func `any more because its person has left is removed with the person`() async throws {
        try await withVectorsDatabase { database in
            try await database.withClient { postgres in
                let (ada, bob) = (Person(postgres), Person(postgres))
                for person in [ada, bob] { try await person.keep([.at(1, "a"), .at(2, "b")]) }
                let erasure = UUID()
                try await database.server.psql(
                    """
                    INSERT INTO users.erasures (id, requested_by) VALUES ('\(erasure)', 'user');
                    INSERT INTO users.users (id, email, name, password_hash, erasure_id)
                        VALUES ('\(ada.id)', 'ada@example.org', 'x', 'x', '\(erasure)')
                    """, database: database.name)

                let progress = try await RecordErasure(postgres: postgres, schema: "vectors") { _ in }
                    .erase(ErasureSubject(erasure: erasure, user: ada.id))

                #expect(progress.isComplete)
                #expect(progress.removed == [RemovedRows(table: "vector_user_memories", count: 2)])
                #expect(try await ada.find(near: .along(1)).matches.isEmpty)
                #expect(try await bob.list().memories.count == 2)
            }
        }
    }

    private func untilTrue(_ condition: () async throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(30)
        while try await !condition() {
            guard ContinuousClock.now < end else { throw CancellationError() }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
