internal import Filters
internal import TestSupport
internal import Testing

@Suite struct `A filter index` {
    @Test(arguments: 0..<20)
    func `finds what a look at every document finds, after any changes`(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var index = FilterIndex()
        var documents: [Int: [String: MetadataValue]] = [:]

        for round in 0..<400 {
            // Few numbers are given again and again, many leave gaps.
            let number = Int.random(in: 0..<(seed.isMultiple(of: 2) ? 80 : 5_000), using: &generator)
            if let old = documents.removeValue(forKey: number) { index.remove(number, old) }
            if Int.random(in: 0..<4, using: &generator) > 0 {
                documents[number] = generator.entries()
                index.insert(number, documents[number] ?? [:])
            }
            guard round.isMultiple(of: 5) else { continue }

            let filter = generator.filter(levels: 4)
            let found = index.documents(passing: filter)

            let expected = documents.filter { filter.passes($0.value) }.map(\.key).sorted()
            var numbers: [Int] = []
            found.forEach { numbers.append($0) }
            #expect(numbers == expected, "seed \(seed), round \(round): \(filter)")
            #expect(found.count == expected.count)
        }
        #expect(index.count == documents.count)
    }

    @Test func `holds many values of a key, in whichever order they come and go`() throws {
        var generator = SeededGenerator(seed: 7)
        var index = FilterIndex()
        let numbers = (0..<5_000).shuffled(using: &generator)
        for number in numbers { index.insert(number, ["year": .number(Double(number))]) }
        for number in numbers.prefix(2_500) { index.remove(number, ["year": .number(Double(number))]) }
        let left = Set(numbers.dropFirst(2_500))
        let range = try #require(ValueRange(from: .included(.number(1_000)), to: .excluded(.number(2_000))))

        let found = index.documents(passing: .range("year", range))

        #expect(found.count == left.filter { (1_000..<2_000).contains($0) }.count)
        #expect(left.allSatisfy { found.contains($0) == (1_000..<2_000).contains($0) })
        #expect(index.documents(passing: .exists("year")).count == 2_500)
    }

    @Test func `gives the documents as they are after an update`() {
        var index = FilterIndex()
        index.insert(3, ["source": .text("go")])

        index.remove(3, ["source": .text("go")])
        index.insert(3, ["source": .text("chebi")])

        #expect(index.documents(passing: .equals("source", .text("go"))).count == 0)
        #expect(index.documents(passing: .equals("source", .text("chebi"))).contains(3))
        #expect(index.documents(passing: .noneOf([.exists("year")])).contains(3))
    }

    @Test func `without documents finds none`() {
        let index = FilterIndex()

        for filter in [Filter.allOf([]), .noneOf([]), .anyOf([]), .exists("source")] {
            #expect(index.documents(passing: filter).count == 0)
        }
    }
}

extension SeededGenerator {
    fileprivate mutating func value() -> MetadataValue {
        let choice = Int.random(in: 0..<6, using: &self)
        return switch Int.random(in: 0..<4, using: &self) {
        case 0: .boolean(choice.isMultiple(of: 2))
        case 1: .number(Double(choice) - 2.5)
        case 2: .time(Int64(choice) * 1_000_000)
        default: .text(["", "a", "b", "É", "e\u{301}", "心臓"][choice])
        }
    }

    private mutating func key() -> String { ["a", "b", "c", "'; DROP TABLE x; --"].randomElement(using: &self) ?? "" }

    fileprivate mutating func entries() -> [String: MetadataValue] {
        var entries: [String: MetadataValue] = [:]
        for _ in 0..<Int.random(in: 0..<4, using: &self) { entries[key()] = value() }
        return entries
    }

    fileprivate mutating func filter(levels: Int) -> Filter {
        let parts = { (generator: inout SeededGenerator) in
            (0..<Int.random(in: 0..<4, using: &generator)).map { _ in generator.filter(levels: levels - 1) }
        }
        return switch Int.random(in: levels == 1 ? 3..<7 : 0..<7, using: &self) {
        case 0: .allOf(parts(&self))
        case 1: .anyOf(parts(&self))
        case 2: .noneOf(parts(&self))
        case 3: .equals(key(), value())
        case 4: .among(key(), (0..<Int.random(in: 0..<4, using: &self)).map { _ in value() })
        case 5: ValueRange(from: bound(), to: bound()).map { .range(key(), $0) } ?? .exists(key())
        default: .exists(key())
        }
    }

    private mutating func bound() -> ValueRange.Bound? {
        switch Int.random(in: 0..<3, using: &self) {
        case 0: nil
        case 1: .included(value())
        default: .excluded(value())
        }
    }
}
