/// PostgreSQL's binary COPY format, as the manual's page on COPY gives it: a header, then for each row the number of
/// its fields and each field behind its length (-1 for NULL), then -1 in place of a number of fields.
enum CopyFormat {
    /// The signature, no flags, and no extension of the header.
    static let header: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00] + [0, 0, 0, 0, 0, 0, 0, 0]
    static let trailer: [UInt8] = [0xFF, 0xFF]
    /// What is handed over at once, in bytes; a larger row is handed over whole.
    static let chunkBytes = 64 * 1_024
}

/// Writes one row of a COPY: as many values as the table was said to have columns, in their order.
package struct CopyRow {
    fileprivate(set) var bytes: [UInt8]
    fileprivate(set) var types: [UInt32] = []
    private var fieldCount = 0
    private var isFirst = true
    private var mismatch = false

    fileprivate init() {
        bytes = []
        bytes.reserveCapacity(CopyFormat.chunkBytes + 4_096)
    }

    /// Writes the next column's value. Its type has to be the column's own: COPY casts nothing.
    package mutating func append<Value: PostgresEncodable>(_ value: Value) {
        let type = Value.postgresType.rawValue
        if isFirst {
            types.append(type)
        } else if fieldCount >= types.count || types[fieldCount] != type {
            mismatch = true
        }
        fieldCount += 1
        let lengthOffset = bytes.count
        bytes.append(contentsOf: [0xFF, 0xFF, 0xFF, 0xFF])
        guard !value.isPostgresNull else { return }
        value.encode(into: &bytes)
        bytes.setLength(bytes.count - lengthOffset - 4, at: lengthOffset)
    }

    fileprivate mutating func begin(_ columnCount: Int) {
        fieldCount = 0
        bytes.appendBigEndian(Int16(truncatingIfNeeded: columnCount))
    }

    /// Whether the row has the wanted number of fields, and the types of the first row.
    fileprivate mutating func end(_ columnCount: Int) -> Bool {
        isFirst = false
        return fieldCount == columnCount && !mismatch
    }

    fileprivate mutating func takeBytes() -> [UInt8] {
        defer { bytes.removeAll(keepingCapacity: true) }
        return bytes
    }
}

/// Turns rows into chunks of the format. A value without I/O.
struct CopyWriter {
    private let columnCount: Int
    private var row = CopyRow()
    private var hasHeader = false
    private(set) var rowCount = 0

    init(columnCount: Int) {
        self.columnCount = columnCount
    }

    /// The types of the first row's values.
    var types: [UInt32] { row.types }
    var isFull: Bool { row.bytes.count >= CopyFormat.chunkBytes }

    /// Writes a row; `false` if it has not one value a column, or other types than the first.
    mutating func write(_ body: (inout CopyRow) throws -> Void) rethrows -> Bool {
        if !hasHeader {
            hasHeader = true
            row.bytes.append(contentsOf: CopyFormat.header)
        }
        row.begin(columnCount)
        try body(&row)
        rowCount += 1
        return row.end(columnCount)
    }

    /// What was written since the last chunk.
    mutating func takeChunk() -> [UInt8] { row.takeBytes() }
}

/// Takes rows out of the chunks that the server sends, wherever it cuts them. A value without I/O.
struct CopyReader {
    /// The server sent something that is not the format.
    struct Malformed: Error {}

    private(set) var bytes: [UInt8] = []
    private var position = 0
    private var hasHeader = false
    private(set) var hasTrailer = false

    mutating func received(_ chunk: [UInt8]) {
        // What was read is dropped at each chunk, so at most one row and one chunk are kept.
        bytes.removeSubrange(..<position)
        position = 0
        bytes += chunk
    }

    /// The fields of the next row, as ranges of `bytes`; `nil` if it has not arrived whole.
    mutating func nextRow(columnCount: Int) throws(Malformed) -> [Range<Int>?]? {
        if !hasHeader {
            guard let length = try headerLength() else { return nil }
            position = length
            hasHeader = true
        }
        guard !hasTrailer, let fieldCount = bytes.span.bigEndian(Int16.self, at: position) else { return nil }
        if fieldCount == -1 {
            hasTrailer = true
            position += 2
            return nil
        }
        guard Int(fieldCount) == columnCount else { throw Malformed() }
        guard let fields = fields(count: columnCount, at: position + 2) else { return nil }
        position = fields.end
        return fields.ranges
    }

    private func fields(count: Int, at start: Int) -> (ranges: [Range<Int>?], end: Int)? {
        let span = bytes.span
        var offset = start
        var ranges: [Range<Int>?] = []
        ranges.reserveCapacity(count)
        for _ in 0..<count {
            guard let length = span.bigEndian(Int32.self, at: offset) else { return nil }
            offset += 4
            guard length >= 0 else {
                ranges.append(nil)
                continue
            }
            guard Int(length) <= span.count - offset else { return nil }
            ranges.append(offset..<offset + Int(length))
            offset += Int(length)
        }
        return (ranges, offset)
    }

    /// The length of the header, whose extension is passed over; `nil` if it has not arrived whole.
    private func headerLength() throws(Malformed) -> Int? {
        guard let extensionLength = bytes.span.bigEndian(UInt32.self, at: 15) else { return nil }
        guard bytes.starts(with: CopyFormat.header.prefix(11)), extensionLength <= 1 << 16 else { throw Malformed() }
        let length = 19 + Int(extensionLength)
        return bytes.count >= length ? length : nil
    }
}
