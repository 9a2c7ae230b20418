internal import Filters
internal import Testing

@testable internal import Vectors

@Suite struct `A ranking of memories` {
    private func candidate(_ id: String, _ components: [Float]) -> MemoryCandidate {
        let bytes = components.flatMap { component in
            (0..<4).map { UInt8(truncatingIfNeeded: component.bitPattern >> (24 - 8 * UInt32($0))) }
        }
        return MemoryCandidate(id: MemoryID(kept: id), components: bytes, metadata: DocumentMetadata(kept: [:]))
    }

    private func ranking(_ components: [Float]) throws -> MemoryRanking {
        MemoryRanking(try Embedding(components, in: .memories))
    }

    @Test func `does not depend on how long vectors are, nor on what a Float can square`() throws {
        let along = [Float].along(7)
        let candidates = [
            candidate("far", .along(300)), candidate("tiny", along.map { $0 * 1e-37 }), candidate("huge", along.map { $0 * 1e37 }),
            candidate("opposite", along.map { -$0 }),
        ]
        for factor in [1e-37, 1, 1e37] as [Float] {
            let hits = try #require(
                try ranking(along.map { $0 * factor }).nearest(10, of: candidates, passing: nil) { false })
            #expect(hits.map(\.id.text) == ["huge", "tiny", "far", "opposite"])
            #expect(hits.map(\.score)[0] == 1 && hits.map(\.score)[3] == -1)
        }
    }

    @Test func `ends when nobody waits for it any more`() throws {
        let candidates = (0..<1_000).map { candidate("\($0)", .along($0 % 384)) }
        var asked = 0
        let hits = try ranking(.along(1)).nearest(10, of: candidates, passing: nil) {
            asked += 1
            return asked == 3
        }
        #expect(hits == nil && asked == 3)
    }
}
