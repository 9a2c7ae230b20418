internal import Application
internal import Filters
internal import Foundation
internal import Postgres
internal import Schema
internal import TestSupport
internal import Testing
internal import Time

@testable internal import Vectors

/// Where the tables' columns are tested: as text, and as pgvector's type.
enum VectorColumns: CaseIterable, Sendable {
    case text, pgvector

    /// Lends a migrated database, by the service's role.
    func withDatabase(_ body: (Postgres, VectorsDatabase) async throws -> Void) async throws {
        func lend(_ database: VectorsDatabase) async throws {
            let configuration = database.server.configuration(database: database.name, user: ServiceRole.vectors.roleName)
            try await PostgresServer.withClient(configuration) { try await body($0, database) }
        }
        switch self {
        case .text: try await withVectorsDatabase(lend)
        case .pgvector: try await withVectorsDatabase(on: PostgresServer.startWithVectors(), lend)
        }
    }
}

extension VectorEmbedding {
    /// Points where no other number's does.
    init(_ number: Int) throws {
        try self.init((0..<Table.dimension).map { $0 == number ? -0.1 : Float($0 % 7) / 8 })
    }
}

@Suite struct `A record of a table of vectors` {
    private func expectKept<Table: VectorTable>(_: Table.Type, _ postgres: Postgres) async throws {
        let records = VectorRecordRepository<Table>(postgres: postgres)
        func record(_ number: Int, _ content: String) throws -> VectorRecord<Table> {
            VectorRecord(
                id: try DocumentID("record \(number)"), content: try DocumentContent(content), embedding: try VectorEmbedding(number),
                metadata: try DocumentMetadata(["source": .text("test"), "number": .number(Double(number))]))
        }
        let (first, second, third) = (try record(1, "one"), try record(2, "two"), try record(3, "three"))

        #expect(try await records.upsert([first, second]) == 1)
        #expect(try await records.upsert([third]) == 2)

        #expect(try await records.find([third.id, first.id]) == [first, third])
        #expect(try await records.list(limit: 2) == [first, second])
        #expect(try await records.list(after: second.id, limit: 2) == [third])
        let changed = try record(1, "another")
        #expect(try await records.upsert([changed]) == 3)
        #expect(try await records.find([first.id]) == [changed])

        #expect(try await records.delete([first.id, second.id]) == 2)
        #expect(try await records.delete([first.id]) == 0)
        #expect(try await records.list(limit: 10) == [third])
        // One that was deleted comes back under its id.
        #expect(try await records.upsert([second]) == 5)
        #expect(try await records.list(limit: 10) == [second, third])
    }

    @Test(arguments: VectorColumns.allCases) func `is what was put in, to the last bit, until it is deleted`(columns: VectorColumns) async throws {
        try await columns.withDatabase { postgres, database in
            try await expectKept(DrugInteractionVectors.self, postgres)
            try await expectKept(SymptomConditionVectors.self, postgres)
            try await expectKept(MedicalTextVectors.self, postgres)
            try await expectKept(MedicalImageVectors.self, postgres)

            let types = try await database.server.psql(
                "SELECT DISTINCT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attname = 'embedding' AND attrelid = 'vectors.vector_drug_interactions'::regclass",
                database: database.name)
            #expect(types == (columns == .text ? "text" : "vector(384)"))
        }
    }

    @Test func `gets a position that no other change has, whoever writes at the same time`() async throws {
        try await VectorColumns.text.withDatabase { postgres, _ in
            let records = VectorRecordRepository<DrugInteractionVectors>(postgres: postgres)
            let positions = try await withThrowingTaskGroup(of: Int64.self) { group in
                for number in 0..<20 {
                    let record = VectorRecord<DrugInteractionVectors>(
                        id: try DocumentID("\(number)"), content: try DocumentContent(""), embedding: try VectorEmbedding(number))
                    group.addTask { try await records.upsert([record]) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(positions.sorted() == Array(1...20))
        }
    }

    @Test func `has an embedding of the table's dimension, with a direction`() {
        #expect(throws: InvalidValue.self) { try VectorEmbedding<MedicalTextVectors>([Float](repeating: 1, count: 384)) }
        #expect(throws: InvalidValue.self) { try VectorEmbedding<MedicalTextVectors>([Float](repeating: 0, count: 768)) }
        #expect(throws: InvalidValue.self) { try VectorEmbedding<MedicalTextVectors>([.nan] + [Float](repeating: 1, count: 767)) }
    }
}

@Suite struct `A memory of a person` {
    private let now = Instant(microsecondsSinceEpoch: Int64(Date().timeIntervalSince1970 * 1_000_000))

    private func memory(_ number: Int, until end: Instant? = nil) throws -> UserMemory {
        UserMemory(
            id: try DocumentID("memory \(number)"), content: try DocumentContent("memory"), embedding: try VectorEmbedding(number),
            metadata: try DocumentMetadata(["kind": .text("preference")]), expiresAt: end)
    }

    @Test(arguments: VectorColumns.allCases) func `is what was put in, for its person alone`(columns: VectorColumns) async throws {
        try await columns.withDatabase { postgres, _ in
            let (ada, bob) = (UUIDv7.make(), UUIDv7.make())
            let memories = UserMemoryRepository(postgres: postgres)
            let (first, second) = (try memory(1), try memory(2, until: now + .seconds(3_600)))

            try await memories.upsert([first, second], of: ada)

            #expect(try await memories.find([second.id, first.id], of: ada) == [first, second])
            #expect(try await memories.list(of: ada, after: first.id, limit: 10) == [second])
            #expect(try await memories.find([first.id], of: bob) == [])
            #expect(try await memories.list(of: bob, limit: 10) == [])
            #expect(try await memories.delete([first.id], of: bob) == 0)
            // The same id is another memory of another person.
            try await memories.upsert([try memory(1)], of: bob)
            #expect(try await memories.delete([first.id], of: ada) == 1)
            #expect(try await memories.list(of: ada, limit: 10) == [second])
            #expect(try await memories.list(of: bob, limit: 10) == [first])
        }
    }

    @Test(arguments: VectorColumns.allCases) func `is never served past its end, and emptied when asked`(columns: VectorColumns) async throws {
        try await columns.withDatabase { postgres, database in
            let ada = UUIDv7.make()
            let memories = UserMemoryRepository(postgres: postgres)
            let (kept, past) = (try memory(1), try memory(2, until: now - .seconds(1)))
            let soon = try memory(3, until: now + .seconds(3_600))
            try await memories.upsert([kept, past, soon], of: ada)
            // An end that this service did not write, and cannot read.
            let odd = try memory(4, until: now + .seconds(3_600))
            try await memories.upsert([odd], of: ada)
            try await database.server.psql(
                "UPDATE vectors.vector_user_memories SET metadata = metadata || '{\"expires_at_us\": \"tomorrow\"}' WHERE id = 'memory 4'",
                database: database.name)

            #expect(try await memories.find([kept.id, past.id, soon.id, odd.id], of: ada) == [kept, soon])
            #expect(try await memories.list(of: ada, limit: 10) == [kept, soon])

            #expect(try await memories.deleteExpired(of: ada) == 2)
            #expect(try await memories.deleteExpired(of: ada) == 0)
            let content = try await database.server.psql(
                "SELECT count(*) FROM vectors.vector_user_memories WHERE content = '' AND embedding IS NULL AND metadata = '{}'",
                database: database.name)
            #expect(content == "2")
        }
    }
}
