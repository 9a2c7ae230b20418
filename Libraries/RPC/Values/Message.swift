/// A value that travels in a call. `RPC` carries any message and knows nothing of how one is written as bytes.
package protocol Message: Sendable {
    /// The name that the contract gives to the message, such as `heartguard.users.v1.User`.
    static var fullName: String { get }

    /// Reads a message from the bytes of one frame. The bytes may have been sent by anybody.
    init(decoding bytes: RawSpan) throws(MalformedMessage)

    /// Writes the message: works out its size, then calls `write` exactly once with that size and a function that
    /// fills exactly so many bytes. Asking for the place first lets a message be written straight into its frame.
    func encode(
        _ write: (_ byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) -> Void
    ) throws(MalformedMessage)
}

extension Message {
    /// The bytes of the message, without a frame around them.
    package func serialized() throws(MalformedMessage) -> [UInt8] {
        var bytes: [UInt8] = []
        unsafe try encode { byteCount, fill in
            bytes = unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { place, count in
                unsafe fill(UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(place)[..<byteCount]))
                count = byteCount
            }
        }
        return bytes
    }

    /// How many bytes `serialized` has.
    package func serializedByteCount() throws(MalformedMessage) -> Int {
        var count = 0
        unsafe try encode { byteCount, _ in count = byteCount }
        return count
    }

    /// Reads a message from bytes that carry no frame.
    package init(decoding bytes: [UInt8]) throws(MalformedMessage) {
        unsafe try self.init(decoding: bytes.span.bytes)
    }
}

/// Says which message could not be read or written, and why, without quoting what it contained.
package struct MalformedMessage: Error, Hashable, CustomStringConvertible {
    package let messageName: String
    /// A sentence for whoever sent the message.
    package let reason: String
    /// Whether the bytes are a message, and only what a field holds, or how deep, is refused.
    package let isWellFormed: Bool

    package init(messageName: String, reason: String, isWellFormed: Bool = false) {
        self.messageName = messageName
        self.reason = reason
        self.isWellFormed = isWellFormed
    }

    package var description: String { "\(messageName): \(reason)" }
}
