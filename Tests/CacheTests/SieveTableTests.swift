import Testing

@testable import Cache

/// What a copy of the table has.
private func values<Value>(of table: SieveTable<Int, Value>, _ keys: ClosedRange<Int>) -> [Value?] {
    var table = table
    return keys.map { table.value(for: $0) }
}

@Suite struct `A SIEVE table` {
    @Test func `gives back what was put in, the last time it was`() {
        var table = SieveTable<Int, String>(capacity: 3)

        table.set("one", for: 1)
        table.set("two", for: 2)
        table.set("uno", for: 1)

        #expect(values(of: table, 1...1) == ["uno"])
        #expect(values(of: table, 2...2) == ["two"])
        #expect(values(of: table, 3...3) == [nil])
        #expect(table.count == 2)
    }

    @Test func `lets the oldest go that was not asked for`() {
        var table = SieveTable<Int, Int>(capacity: 3)
        for number in 1...3 { table.set(number, for: number) }
        _ = table.value(for: 1)

        table.set(4, for: 4)

        #expect(values(of: table, 1...4) == [1, nil, 3, 4])
        #expect(table.evictions == 1)
    }

    @Test func `lets something go also when all was asked for`() {
        var table = SieveTable<Int, Int>(capacity: 3)
        for number in 1...3 { table.set(number, for: number) }
        for number in 1...3 { _ = table.value(for: number) }

        table.set(4, for: 4)

        #expect(table.count == 3)
        #expect(values(of: table, 1...1) == [nil])
        #expect(values(of: table, 4...4) == [4])
    }

    @Test func `holds what it may weigh, and nothing that is too heavy by itself`() {
        var table = SieveTable<Int, Int>(capacity: 10)
        for number in 1...3 { table.set(number, for: number, weight: 3) }

        table.set(4, for: 4, weight: 7)
        table.set(5, for: 5, weight: 11)

        #expect(values(of: table, 1...5) == [nil, nil, 3, 4, nil])
        #expect(table.weight == 10)
        table.set(44, for: 4, weight: 1)
        #expect(values(of: table, 3...4) == [3, 44])
        #expect(table.weight == 4)
        table.removeAll()
        #expect(table.weight == 0)
    }

    @Test func `forgets what it is told to, and all`() {
        var table = SieveTable<Int, Int>(capacity: 3)
        for number in 1...3 { table.set(number, for: number) }

        let removals = [table.remove(2), table.remove(2)]
        #expect(removals == [true, false])
        #expect(values(of: table, 2...2) == [nil])
        table.removeAll()

        #expect(table.count == 0)
        table.set(5, for: 5)
        #expect(values(of: table, 5...5) == [5])
    }

    /// Against a table that keeps what ours says it keeps: whatever is done in whatever order, no more than its capacity is
    /// kept, and what is kept is the last that was put in.
    @Test func `agrees with a dictionary after any number of steps`() {
        var generator = SystemRandomNumberGenerator()
        var table = SieveTable<Int, Int>(capacity: 17)
        var last: [Int: Int] = [:]

        for step in 0..<50_000 {
            let key = Int.random(in: 0..<40, using: &generator)
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<4:
                table.set(step, for: key)
                last[key] = step
            case 4..<5: if table.remove(key) { last[key] = nil }
            default:
                let value = table.value(for: key)
                #expect(value == nil || value == last[key])
            }
            #expect(table.count <= 17)
        }
        #expect(values(of: table, 0...39).count { $0 != nil } == table.count)
    }

    /// A scan of what is asked for once does not drive out what is asked for often.
    @Test func `keeps what is asked for often through a scan`() {
        var table = SieveTable<Int, Int>(capacity: 100)
        for number in 0..<50 { table.set(number, for: number) }

        for number in 0..<1_000 {
            for often in 0..<50 { _ = table.value(for: often) }
            table.set(number, for: 1_000 + number)
        }

        #expect(values(of: table, 0...49) == Array(0..<50))
    }
}
