internal import NIOCore

/// The arguments of a command as RESP writes them: bulk strings one after the other, each with its length before it.
package struct RESPArguments: Sendable, Hashable {
    private var bytes: [UInt8] = []
    private(set) var count = 0

    /// Makes room for so many arguments of a usual size.
    mutating func reserveCapacity(_ count: Int) { bytes.reserveCapacity(24 * count) }

    /// Bytes on the wire, the head of the array included.
    var byteCount: Int { bytes.count + 3 + Self.digits(of: count) }

    mutating func append(_ argument: some Collection<UInt8>) {
        count += 1
        bytes.append(UInt8(ascii: "$"))
        append(decimal: argument.count)
        endLine()
        bytes.append(contentsOf: argument)
        endLine()
    }

    mutating func append(contentsOf others: RESPArguments) {
        count += others.count
        bytes.append(contentsOf: others.bytes)
    }

    /// The first one, up to its first line feed.
    var first: some Collection<UInt8> {
        bytes.drop { $0 != UInt8(ascii: "\n") }.dropFirst().prefix { $0 != UInt8(ascii: "\r") }
    }

    func write(to buffer: inout ByteBuffer) {
        buffer.writeInteger(UInt8(ascii: "*"))
        buffer.writeString(String(count))
        buffer.writeInteger(UInt16(0x0D0A))
        buffer.writeBytes(bytes)
    }

    private mutating func endLine() {
        bytes.append(UInt8(ascii: "\r"))
        bytes.append(UInt8(ascii: "\n"))
    }

    private mutating func append(decimal number: Int) {
        if number > 9 { append(decimal: number / 10) }
        bytes.append(UInt8(ascii: "0") + UInt8(number % 10))
    }

    private static func digits(of number: Int) -> Int { number > 9 ? 1 + digits(of: number / 10) : 1 }
}
