/// The bytes of an input, read as decisions. When they are used up, every further decision is 0.
struct FuzzInput {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) {
        rest = bytes[...]
    }

    var isEmpty: Bool { rest.isEmpty }

    mutating func byte() -> UInt8 {
        rest.popFirst() ?? 0
    }

    /// At most so many bytes.
    mutating func bytes(_ count: Int) -> [UInt8] {
        let taken = Array(rest.prefix(count))
        rest = rest.dropFirst(count)
        return taken
    }

    /// Bytes whose number comes first, in one byte.
    mutating func counted() -> [UInt8] {
        bytes(Int(byte()))
    }

    mutating func remaining() -> [UInt8] {
        bytes(rest.count)
    }
}
