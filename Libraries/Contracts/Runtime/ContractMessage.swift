package import RPC

/// A message of a contract as a Swift value. The generated types conform; what they share is here.
///
/// Reading goes through three steps: the bytes are checked against the contract, protobuf-c unpacks them into an arena,
/// and the value copies its fields out. Writing borrows an arena for protobuf-c to pack from.
package protocol ContractMessage: Message, Equatable, CustomStringConvertible {
    /// Every field absent.
    init()
    /// Fields that the contract of this program does not know, as they came.
    var unknownFields: [UInt8] { get set }
    /// The descriptors of the contract and of what it imports.
    static var schema: ContractSchema { get }
    static var layout: MessageLayout { get }

    /// Copies the fields out of a C struct of this message.
    init(copying message: UnsafeRawPointer) throws(MalformedMessage)
    /// Makes a C struct of this message. It lives as long as the arena.
    func place(in arena: inout Arena) throws(MalformedMessage) -> UnsafeMutableRawPointer
}

extension ContractMessage {
    /// Reads a message from bytes that anybody may have sent.
    ///
    /// - Throws: `MalformedMessage` for what is no message of this type: bytes that end early, a wrong wire type, text
    ///   that is not UTF-8 or holds U+0000, messages nested deeper than 100, or small pieces whose C form would be far
    ///   larger than the bytes. Memory in use stays under sixteen times the input and 256 KiB.
    package init(decoding bytes: RawSpan) throws(MalformedMessage) {
        self.init()
        if bytes.isEmpty { return }
        var value = self
        try unsafe MessageCodec.read(bytes, Self.layout.descriptor) { message throws(MalformedMessage) in
            value = try unsafe Self(copying: message)
        }
        self = value
    }

    /// Writes the message. The size is worked out first, then `write` is asked for a place of that size.
    ///
    /// - Throws: `MalformedMessage` when a string holds U+0000, which C would take for its end.
    package func encode(
        _ write: (_ byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) -> Void
    ) throws(MalformedMessage) {
        try unsafe MessageCodec.write(write) { arena throws(MalformedMessage) in try unsafe place(in: &arena) }
    }
}
