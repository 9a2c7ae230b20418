/// Takes out what a `ByteWriter` put in. What is not there, or not in that form, is an error and never a trap.
package struct ByteReader {
    private let bytes: [UInt8]
    private var next = 0

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package var isAtEnd: Bool { next == bytes.count }

    private static var tooShort: SnapshotError { SnapshotError(.damaged, "The snapshot ends before all of it was read.") }

    package mutating func number<Number: FixedWidthInteger>(_: Number.Type) throws(SnapshotError) -> Number {
        let size = MemoryLayout<Number>.size
        guard bytes.count - next >= size else { throw Self.tooShort }
        let number = unsafe bytes.withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: next, as: Number.self) }
        next += size
        return Number(littleEndian: number)
    }

    package mutating func shortNumber() throws(SnapshotError) -> Int {
        var number: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            guard next < bytes.count, shift < 63 else { throw Self.tooShort }
            let byte = bytes[next]
            next += 1
            number |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return Int(number) }
            shift += 7
        }
    }

    /// How many of something follow, each of which takes a byte at least.
    package mutating func count() throws(SnapshotError) -> Int {
        let count = try shortNumber()
        guard count <= bytes.count - next else { throw Self.tooShort }
        return count
    }

    package mutating func text() throws(SnapshotError) -> String {
        let count = try count()
        guard let text = String(validating: bytes[next..<(next + count)], as: UTF8.self) else {
            throw SnapshotError(.damaged, "The snapshot holds a text that is none.")
        }
        next += count
        return text
    }

    package mutating func numbers() throws(SnapshotError) -> [UInt32] {
        let count = try shortNumber()
        guard count <= (bytes.count - next) / 4 else { throw Self.tooShort }
        var numbers: [UInt32] = []
        numbers.reserveCapacity(count)
        for _ in 0..<count { numbers.append(try number(UInt32.self)) }
        return numbers
    }
}
