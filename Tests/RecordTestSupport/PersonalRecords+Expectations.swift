package import Application
package import FoundationEssentials
internal import Postgres
package import Testing

extension PersonalRecords where Record: Equatable {
    /// Puts a record in, and expects it to be what was put in, for its person alone.
    package func expectKept(
        _ record: Record, id: UUID, of owner: Person, hiddenFrom other: Person, at place: SourceLocation = #_sourceLocation
    ) async throws {
        try await insert(record, of: owner)

        #expect(try await find(id, of: owner) == record, sourceLocation: place)
        #expect(try await find(id, of: other) == nil, sourceLocation: place)
        #expect(try await list(of: owner, limit: 10) == [record], sourceLocation: place)
        #expect(try await list(of: other, limit: 10) == [], sourceLocation: place)
    }
}

extension RemovableRecords {
    /// Expects a record to be taken out by its person alone.
    package func expectRemovable(
        _ id: UUID, of owner: Person, notBy other: Person, at place: SourceLocation = #_sourceLocation
    ) async throws {
        #expect(try await remove(id, of: other) == false, sourceLocation: place)
        #expect(try await remove(id, of: owner), sourceLocation: place)
    }
}
