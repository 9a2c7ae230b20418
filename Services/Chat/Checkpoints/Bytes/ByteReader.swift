/// Reads what `ByteWriter` wrote. Whatever the bytes are, it never reads beyond them and never sets aside more memory than they take.
struct ByteReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    private var remaining: Int { bytes.count - position }

    mutating func number() throws(UnreadableBytes) -> UInt64 {
        var result: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard position < bytes.count else { throw .cutShort }
            let byte = bytes[position]
            position += 1
            let group = UInt64(byte & 0x7F)
            guard shift < 63 || group <= 1 else { throw .malformed }
            result |= group << shift
            if byte < 0x80 { return result }
        }
        throw .malformed
    }

    /// A number of things, each of at least one byte, or of bytes.
    mutating func count(most: Int = .max) throws(UnreadableBytes) -> Int {
        let number = try number()
        guard number <= UInt64(most) else { throw .malformed }
        return Int(number)
    }

    mutating func signed() throws(UnreadableBytes) -> Int32 {
        guard let number = UInt32(exactly: try number()) else { throw .malformed }
        return Int32(bitPattern: number >> 1) ^ -Int32(bitPattern: number & 1)
    }

    mutating func raw(_ count: Int) throws(UnreadableBytes) -> ArraySlice<UInt8> {
        guard count <= remaining else { throw .cutShort }
        defer { position += count }
        return bytes[position..<position + count]
    }

    mutating func counted() throws(UnreadableBytes) -> ArraySlice<UInt8> { try raw(try count()) }

    mutating func text() throws(UnreadableBytes) -> String {
        guard let text = String(validating: try counted(), as: UTF8.self) else { throw .malformed }
        return text
    }

    /// Throws unless everything has been read.
    func finish() throws(UnreadableBytes) {
        guard remaining == 0 else { throw .malformed }
    }
}

/// Bytes that are not what this program writes.
enum UnreadableBytes: Error, Hashable {
    case cutShort
    case malformed
    /// They are told to be of a form that this program does not know.
    case otherForm
}
