internal import Testing
internal import TextSearch

@Suite struct `Rank fusion` {
    @Test func `gives each its weight divided by 60 and its rank`() {
        let fused = RankFusion.fuse([.init(["a", "b", "c"], weight: 1), .init(["c", "d"], weight: 1)])

        #expect(fused.map(\.key) == ["c", "a", "b", "d"])
        let shares: [Float] = [61, 62, 63].map { 1 / $0 }
        #expect(fused.map(\.score) == [shares[2] + shares[0], shares[0], shares[1], shares[1]])
    }

    @Test func `follows the heavier ranking`() {
        let rankings = { (weight: Float) in
            RankFusion.fuse([.init(["a", "b"], weight: 1), .init(["b", "a"], weight: weight)]).map(\.key)
        }

        #expect(rankings(0.5) == ["a", "b"])
        #expect(rankings(2) == ["b", "a"])
        #expect(rankings(1) == ["a", "b"])
        #expect(rankings(0) == ["a", "b"])
    }

    @Test func `of nothing is nothing`() {
        #expect(RankFusion.fuse([RankFusion.Ranking<Int>([], weight: 1)]).isEmpty)
        #expect(RankFusion.fuse([RankFusion.Ranking<Int>]()).isEmpty)
    }
}

@Suite struct `A ranking by words` {
    @Test func `counts from half of what is most relevant, in its own order`() {
        // The order may heed more than relevance, so what is most relevant need not be the first.
        let found: [(key: String, relevance: Float)] = [("new", 0.5), ("old", 0.8), ("part", 0.39), ("half", 0.4)]

        #expect(RankFusion.counted(found) == ["new", "old", "half"])
        #expect(RankFusion.counted([(key: String, relevance: Float)]()).isEmpty)
    }
}
