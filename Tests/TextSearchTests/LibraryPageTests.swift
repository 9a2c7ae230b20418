internal import Testing
internal import TextSearch

/// The code of docs/libraries/TextSearch.md.
@Suite struct `The library page of TextSearch` {
    @Test func `says what is so`() {
        var index = TextIndex()
        index.insert(0, terms: Terms.of("I21.4 Non-ST elevation (NSTEMI) myocardial infarction"))
        index.insert(1, terms: Terms.of("I48.91 Unspecified atrial fibrillation"))

        #expect(index.search(Terms.of("nstemi"), limit: 10)?.map(\.document) == [0])
        #expect(index.search(Terms.of("I48"), limit: 10)?.map(\.document) == [1])
        #expect(index.search(Terms.of("warfarin"), limit: 10) == [])

        let fused = RankFusion.fuse([.init([1, 0], weight: 1), .init([1], weight: 1)])
        #expect(fused.map(\.key) == [1, 0])
    }
}
