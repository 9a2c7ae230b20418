internal import Filters
internal import Testing

/// The code of docs/libraries/Filters.md.
@Suite struct `The library page of Filters` {
    @Test func `says what is so`() throws {
        var index = FilterIndex()
        index.insert(0, ["source": .text("go"), "year": .number(2_024)])
        index.insert(1, ["source": .text("chebi"), "year": .number(2_026), "reviewed": .boolean(true)])

        let recent = Filter.range("year", try #require(ValueRange(from: .included(.number(2_025)), to: nil)))
        let found = index.documents(passing: .allOf([recent, .noneOf([.equals("source", .text("go"))])]))
        #expect(found.count == 1)
        #expect(found.contains(1))

        #expect(recent.passes(["year": .number(2_025)]))
        index.remove(1, ["source": .text("chebi"), "year": .number(2_026), "reviewed": .boolean(true)])
        #expect(index.documents(passing: recent).isEmpty)
    }
}
