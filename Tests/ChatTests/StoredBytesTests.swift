internal import TestSupport
internal import Testing

@testable internal import Chat

@Suite struct `Bytes that are kept` {
    private static func random(_ count: Int, _ generator: inout SeededGenerator) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    private static func value(_ generator: inout SeededGenerator) -> StoredValue {
        let pieces = (0..<Int.random(in: 0...4, using: &generator)).map { _ in
            Bool.random(using: &generator)
                ? Piece.inline(random(Int.random(in: 1...40, using: &generator), &generator))
                : .range(
                    StreamRange(
                        stream: .random(in: 0...300, using: &generator), position: .random(in: 0...1 << 40, using: &generator),
                        count: .random(in: 1...100_000, using: &generator)))
        }
        return StoredValue(
            type: ["", "null", "msgpack", "心"].randomElement(using: &generator) ?? "", byteCount: pieces.reduce(0) { $0 + $1.count },
            checksum: random(8, &generator), pieces: pieces)
    }

    private static func record(_ generator: inout SeededGenerator) -> CheckpointRecord {
        CheckpointRecord(
            content: TypedValue(type: "msgpack", data: random(Int.random(in: 0...300, using: &generator), &generator)),
            channels: (0..<Int.random(in: 0...6, using: &generator)).map { number in
                .init(name: "channel \(number)", version: "v", value: Bool.random(using: &generator) ? value(&generator) : nil)
            })
    }

    private static func writes(_ generator: inout SeededGenerator) -> TaskWrites {
        var writes = TaskWrites()
        for _ in 0..<Int.random(in: 0...8, using: &generator) {
            writes.add(.init(index: .random(in: -4...10, using: &generator), channel: "channel", value: value(&generator)))
        }
        return writes
    }

    @Test func `are read as they were written`() throws {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<300 {
            let (record, writes) = (Self.record(&generator), Self.writes(&generator))
            #expect(try CheckpointRecord(record.bytes) == record)
            #expect(try TaskWrites(writes.bytes) == writes)
        }
    }

    @Test(arguments: [1 as UInt64, 2, 3]) func `never end the program, whatever became of them`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for round in 0..<3_000 {
            var bytes: [UInt8]
            if round % 3 == 0 {
                bytes = Self.random(Int.random(in: 0...200, using: &generator), &generator)
            } else {
                bytes = round % 3 == 1 ? Self.record(&generator).bytes : Self.writes(&generator).bytes
                for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
                    bytes[Int.random(in: bytes.indices, using: &generator)] = .random(in: 0...255, using: &generator)
                }
                if Bool.random(using: &generator) { bytes.removeLast(Int.random(in: 0...bytes.count, using: &generator)) }
            }
            // Either is an answer.
            _ = try? CheckpointRecord(bytes)
            _ = try? TaskWrites(bytes)
        }
    }

    @Test func `of a segment are taken only if they are what its digest says`() {
        var generator = SeededGenerator(seed: 4)
        for count in [1, 100, 65_536] {
            for packs in [true, false] {
                let bytes = packs ? [UInt8](repeating: 7, count: count) : Self.random(count, &generator)
                let segment = Segment(stream: 1, position: 0, bytes: bytes)
                #expect(segment.bytes == bytes)
                var content = segment.content
                content[content.count / 2] ^= 1
                // A block of LZ4 may say the same in another way.
                let read = Segment(head: segment.head, content: content).bytes
                #expect(read == nil || (packs && read == bytes))
                #expect(Segment(head: segment.head, content: Array(segment.content.dropLast())).bytes == nil)
                #expect(Segment(head: segment.head, content: segment.content + [0]).bytes == nil)
            }
        }
    }

    @Test(arguments: [5 as UInt64, 6, 7]) func `are told as what they have in common with others, and are the same`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for matcher in [PieceMatcher.versions, .writes] {
            for _ in 0..<40 {
                let base = Self.random(Int.random(in: 0...20_000, using: &generator), &generator)
                var value = base
                for _ in 0..<Int.random(in: 0...5, using: &generator) {
                    let place = Int.random(in: 0...value.count, using: &generator)
                    let end = min(value.count, place + Int.random(in: 0...3_000, using: &generator))
                    value.replaceSubrange(place..<end, with: Self.random(Int.random(in: 0...200, using: &generator), &generator))
                }
                var told: [UInt8] = []
                for part in matcher.parts(of: value, base: base) {
                    switch part {
                    case .literal(let range): told += value[range]
                    case .copy(let range): told += base[range]
                    }
                }
                #expect(told == value)
            }
        }
    }

    @Test func `are told as ranges of what came of them, of so many of them as are looked at`() throws {
        var generator = SeededGenerator(seed: 8)
        let value = Self.random(4_000, &generator)
        let checkpoint = try NewCheckpoint.making(CheckpointIDs.id(2), of: .make(), [("a", "1", .new(.bytes(value)))])
        let stored = StoredValue(
            type: "bytes", byteCount: 4_000, checksum: StoredValue.checksum(of: value),
            pieces: [.range(StreamRange(stream: 1, position: 0, count: 4_000))])
        let channels = [CheckpointRecord.Channel(name: "a", version: "1", value: stored)]
        let rows = (0..<4).map { task in
            var writes = TaskWrites()
            let part = Array(value[task * 1_000..<(task + 1) * 1_000])
            writes.add(.init(index: 0, channel: "a", value: StoredValue(inline: .bytes(part))))
            return WritesRow(namespace: "", checkpoint: CheckpointIDs.id(1), task: "\(task)", path: "", content: writes.bytes)
        }

        let all = try CheckpointStore.settled(rows, by: checkpoint, channels)
        // Each row has 1,000 bytes, which are looked for in 4,000.
        let some = try CheckpointStore.settled(rows, by: checkpoint, channels, looking: 10_000)

        #expect(all.map(\.task) == ["0", "1", "2", "3"])
        #expect(some == Array(all.prefix(2)))
        for (task, row) in all.enumerated() {
            let pieces = try TaskWrites(row.content).writes.first?.value.pieces
            #expect(pieces == [.range(StreamRange(stream: 1, position: Int64(task) * 1_000, count: 1_000))])
        }
    }

    @Test func `of a list that grew are its head, a copy, and its end`() {
        var generator = SeededGenerator(seed: 8)
        let items = Self.random(100_000, &generator)
        let new = Self.random(700, &generator)

        let parts = PieceMatcher.versions.parts(of: [0xDC, 0x02, 0x01] + items + new, base: [0xDC, 0x02, 0x00] + items)

        #expect(parts == [.literal(0..<3), .copy(3..<100_003), .literal(100_003..<100_703)])
    }

    @Test func `that are live are told apart from those that are not`() {
        let live = LiveRanges([
            StreamRange(stream: 1, position: 10, count: 10), StreamRange(stream: 1, position: 15, count: 10),
            StreamRange(stream: 1, position: 25, count: 5), StreamRange(stream: 1, position: 100, count: 1),
            StreamRange(stream: 2, position: 0, count: 50),
        ])

        #expect(live.parts(of: StreamRange(stream: 1, position: 0, count: 200)) == [10..<30, 100..<101])
        #expect(live.parts(of: StreamRange(stream: 1, position: 12, count: 5)) == [0..<5])
        #expect(live.parts(of: StreamRange(stream: 1, position: 30, count: 70)) == [])
        #expect(live.parts(of: StreamRange(stream: 3, position: 0, count: 10)) == [])
    }
}
