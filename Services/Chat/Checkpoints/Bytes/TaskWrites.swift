internal import LZ4

/// All that one task has written towards the step behind a checkpoint, as its row holds it.
struct TaskWrites: Hashable, Sendable {
    struct Write: Hashable, Sendable {
        let index: Int32
        let channel: String
        var value: StoredValue
    }

    /// By index.
    private(set) var writes: [Write] = []

    static let maxWrites = 65_536
    static let maxBytes = 64 << 20

    init() {}

    /// Of two writes with one index the first stays, unless it is below 0: an error, an interrupt, a resumption are what they were last.
    mutating func add(_ write: Write) {
        if let place = writes.firstIndex(where: { $0.index == write.index }) {
            if write.index < 0 { writes[place] = write }
        } else {
            writes.insert(write, at: writes.firstIndex { $0.index > write.index } ?? writes.endIndex)
        }
    }

    /// Puts another way of keeping a value in the place of the one that is there.
    mutating func replaceValue(at place: Int, by value: StoredValue) { writes[place].value = value }

    var ranges: [StreamRange] { writes.flatMap(\.value.pieces.ranges) }
    var byteCount: Int { writes.reduce(0) { $0 + $1.value.byteCount } }

    private enum Form {
        static let plain: UInt64 = 1
        static let packed: UInt64 = 2
    }

    var bytes: [UInt8] {
        var plain = ByteWriter()
        plain.append(writes.count)
        for write in writes {
            plain.append(signed: write.index)
            plain.append(write.channel)
            write.value.write(to: &plain)
        }
        var whole = ByteWriter()
        if let packed = LZ4.compress(plain.bytes.span) {
            whole.append(Form.packed)
            whole.append(plain.bytes.count)
            whole.append(raw: packed)
        } else {
            whole.append(Form.plain)
            whole.append(raw: plain.bytes)
        }
        return whole.bytes
    }

    init(_ bytes: [UInt8]) throws(UnreadableBytes) {
        var whole = ByteReader(bytes)
        var plain: [UInt8]
        switch try whole.number() {
        case Form.plain: plain = Array(bytes.dropFirst())
        case Form.packed:
            let count = try whole.count(most: Self.maxBytes)
            // No block of LZ4 becomes more than 255 times as long.
            guard count / 255 <= bytes.count else { throw .malformed }
            let block = Array(bytes.dropFirst(1 + Self.length(of: count)))
            do throws(LZ4Error) { plain = try LZ4.decompress(block.span, count: count) } catch { throw .malformed }
        default: throw .otherForm
        }
        var reader = ByteReader(plain)
        for _ in 0..<(try reader.count(most: Self.maxWrites)) {
            let (index, channel) = (try reader.signed(), try reader.text())
            let value = try StoredValue(from: &reader)
            guard writes.last.map({ $0.index < index }) ?? true else { throw .malformed }
            writes.append(Write(index: index, channel: channel, value: value))
        }
        try reader.finish()
    }

    /// How many bytes a count takes.
    private static func length(of count: Int) -> Int {
        var writer = ByteWriter()
        writer.append(count)
        return writer.bytes.count
    }
}
