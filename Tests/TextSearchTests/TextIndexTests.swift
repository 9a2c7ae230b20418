internal import Foundation
internal import TestSupport
internal import Testing
internal import TextSearch

@Suite struct `A text index` {
    @Test func `finds what holds a word, a code or a part of it`() {
        var index = TextIndex()
        index.insert(0, text: "I21.4 Non-ST elevation (NSTEMI) myocardial infarction")
        index.insert(1, text: "I21.3 ST elevation (STEMI) myocardial infarction of unspecified site")
        index.insert(2, text: "I48.91 Unspecified atrial fibrillation")

        #expect(index.found("I21.4").first == 0)
        #expect(index.found("i21") == [0, 1])
        #expect(index.found("nstemi") == [0])
        #expect(index.found("ST-elevation").count == 2)
        #expect(index.found("atrial, FIBRILLATION!") == [2])
        #expect(index.found("diltiazem") == [])
        #expect(index.found("") == [])
        #expect(index.found("... —") == [])
    }

    @Test func `scores as BM25 is written down`() throws {
        var index = TextIndex()
        index.insert(0, text: "heart heart failure")
        index.insert(1, text: "heart")
        index.insert(2, text: "kidney failure of long standing")

        let found = try #require(index.search(Terms.of("heart failure"), limit: 10))

        let average = 9.0 / 3
        func part(_ frequency: Double, _ length: Double) -> Double {
            frequency * 2.2 / (frequency + 1.2 * (0.25 + 0.75 * length / average))
        }
        // Both words are in two of three texts.
        let rarity = log(1 + 1.5 / 2.5)
        let expected = [0: rarity * (part(2, 3) + part(1, 3)), 1: rarity * part(1, 1), 2: rarity * part(1, 5)]
        #expect(found.map(\.document) == [0, 1, 2])
        for match in found { #expect(abs(Double(match.score) - (expected[match.document] ?? 0)) < 1e-5) }
    }

    @Test func `keeps to a limit and to a filter`() {
        var index = TextIndex()
        for number in 0..<100 { index.insert(number, text: "heart " + String(repeating: "x ", count: number)) }

        #expect(index.found("heart", limit: 3) == [0, 1, 2])
        #expect(index.search(["heart"], limit: 3, where: { $0 > 50 })?.map(\.document) == [51, 52, 53])
        #expect(index.search(["heart"], limit: 3, where: { _ in false }) == [])
        #expect(index.search(["heart"], limit: 3, shouldStop: { true }) == nil)
        #expect(index.found("heart", limit: 3) == [0, 1, 2])
    }

    @Test(arguments: 0..<10)
    func `is after any changes what one made anew is`(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var changed = TextIndex()
        var texts: [Int: String] = [:]
        let words = ["heart", "failure", "I21.4", "I21", "ST-elevation", "of", "the", "心臓", "é", "—"]
        for _ in 0..<600 {
            let number = Int.random(in: 0..<60, using: &generator)
            if Int.random(in: 0..<3, using: &generator) == 0 {
                changed.remove(number)
                texts[number] = nil
            } else {
                let count = Int.random(in: 0..<8, using: &generator)
                let text = (0..<count).map { _ in words.randomElement(using: &generator) ?? "" }.joined(separator: " ")
                changed.insert(number, text: text)
                texts[number] = text
            }
        }

        var made = TextIndex()
        for (number, text) in texts { made.insert(number, text: text) }

        #expect(changed.count == made.count)
        #expect(changed.termCount == made.termCount)
        for word in words + ["heart failure of the heart", "I21 ST"] {
            let (one, other) = (changed.search(Terms.of(word), limit: 100) ?? [], made.search(Terms.of(word), limit: 100) ?? [])
            #expect(Set(one.map(\.document)) == Set(other.map(\.document)))
            for (one, other) in zip(one, other) { #expect(abs(one.score - other.score) < 1e-4) }
        }
        for number in texts.keys { changed.remove(number) }
        #expect((changed.count, changed.termCount) == (0, 0))
    }
}

extension TextIndex {
    fileprivate mutating func insert(_ document: Int, text: String) { insert(document, terms: Terms.of(text)) }

    fileprivate func found(_ text: String, limit: Int = 10) -> [Int] {
        (search(Terms.of(text), limit: limit) ?? []).map(\.document)
    }
}

@Suite struct `The contents of a text index` {
    @Test func `make another that finds the same, and goes on as the first does`() throws {
        var generator = SeededGenerator(seed: 8)
        func change(_ index: inout TextIndex) {
            for _ in 0..<300 {
                let document = Int.random(in: 0..<60, using: &generator)
                let words = (0..<Int.random(in: 0..<9, using: &generator)).map { _ in "w\(Int.random(in: 0..<40, using: &generator))" }
                if words.count == 3 { index.remove(document) } else { index.insert(document, terms: words) }
            }
        }
        var first = TextIndex()
        change(&first)

        var second = try #require(TextIndex(first.contents))
        expectSame(first, second)

        let kept = generator
        change(&first)
        generator = kept
        change(&second)
        expectSame(first, second)
        #expect(first.contents == second.contents)
    }

    @Test func `that do not go together make none`() throws {
        var index = TextIndex()
        index.insert(0, text: "heart failure")
        index.insert(1, text: "heart")
        let contents = index.contents

        var fewer = contents, foreign = contents, longer = contents, unused = contents
        fewer.postings.removeLast(2)
        foreign.postings[0] = 7
        longer.lengths[0] += 1
        unused.unusedTerms = [9]

        for broken in [fewer, foreign, longer, unused] { #expect(TextIndex(broken) == nil) }
        #expect(TextIndex(contents) != nil)
    }

    /// A change would trap on some of them, and a search find a document twice by others.
    @Test func `that a search or a change could not count on make none`() throws {
        var index = TextIndex()
        index.insert(0, text: "heart failure")
        index.insert(1, text: "heart")
        index.insert(2, text: "kidney")
        index.remove(2)
        let contents = index.contents
        let heart = try #require(contents.postingCounts.firstIndex(of: 2))
        let failure = try #require(contents.postingCounts.firstIndex(of: 1))
        let free = try #require(contents.unusedTerms.first)

        var inUse = contents, twiceFree = contents, lost = contents, oneText = contents
        inUse.unusedTerms = [UInt32(heart)]
        twiceFree.unusedTerms = [free, free]
        lost.unusedTerms = []
        oneText.terms[heart] = oneText.terms[failure]
        // All of the word's postings are of the first document, and as many as before.
        var twice = contents, never = contents
        let start = contents.postingCounts[..<heart].reduce(0) { $0 + Int($1) } * 2
        twice.postings[start] = 0
        twice.postings[start + 2] = 0
        twice.lengths = [3, 0, 0]
        never.postings[start + 1] = 0
        never.lengths[Int(never.postings[start])] -= 1

        for (number, broken) in [inUse, twiceFree, lost, oneText, twice, never].enumerated() {
            #expect(TextIndex(broken) == nil, "number \(number)")
        }
        #expect(TextIndex(contents) != nil)
    }

    private func expectSame(_ first: TextIndex, _ second: TextIndex) {
        #expect((first.count, first.termCount) == (second.count, second.termCount))
        for word in 0..<40 {
            let terms = ["w\(word)", "w\((word + 7) % 40)"]
            #expect(first.search(terms, limit: 60) == second.search(terms, limit: 60))
        }
    }
}
