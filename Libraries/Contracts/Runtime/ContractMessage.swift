internal import CContracts
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

/// The stack that an arena begins with: room for an ordinary request, and as much as Swift gives of the stack before it
/// turns to the heap.
private let firstBlockByteCount = 1024

extension ContractMessage {
    /// Reads a message from bytes that anybody may have sent.
    ///
    /// - Throws: `MalformedMessage` for what is no message of this type: bytes that end early, a wrong wire type, text
    ///   that is not UTF-8 or holds U+0000, messages nested deeper than 100, or small pieces whose C form would be far
    ///   larger than the bytes. Memory in use stays under sixteen times the input and 256 KiB.
    package init(decoding bytes: RawSpan) throws(MalformedMessage) {
        guard !bytes.isEmpty else {
            self.init()
            return
        }
        let result: Result<Self, MalformedMessage> = unsafe bytes.withUnsafeBytes { buffer in
            unsafe Self.decoded(buffer)
        }
        self = try result.get()
    }

    private static func decoded(_ bytes: UnsafeRawBufferPointer) -> Result<Self, MalformedMessage> {
        var check = unsafe WireCheck(bytes)
        do {
            try unsafe check.message(layout.descriptor)
        } catch {
            return .failure(error)
        }
        guard !check.hasRepeatedMessage else {
            let merged = unsafe WireMerge.merged(bytes, as: layout.descriptor)
            return unsafe merged.withUnsafeBytes { unsafe unpacked($0) }
        }
        return unsafe unpacked(bytes)
    }

    private static func unpacked(_ bytes: UnsafeRawBufferPointer) -> Result<Self, MalformedMessage> {
        unsafe withUnsafeTemporaryAllocation(byteCount: firstBlockByteCount, alignment: 16) { block in
            var arena = unsafe Arena(block, budget: 16 * bytes.count + 256 * 1024)
            return unsafe withUnsafeMutablePointer(to: &arena) { arena in
                var allocator = unsafe ProtobufCAllocator(
                    alloc: { arena, byteCount in
                        unsafe arena?.assumingMemoryBound(to: Arena.self).pointee.allocateWithinBudget(byteCount)
                    },
                    free: { arena, piece in
                        guard let piece = unsafe piece else { return }
                        unsafe arena?.assumingMemoryBound(to: Arena.self).pointee.release(piece)
                    },
                    allocator_data: arena)
                guard
                    let message = unsafe protobuf_c_message_unpack(
                        layout.descriptor, &allocator, bytes.count, bytes.baseAddress)
                else {
                    return .failure(
                        MalformedMessage(
                            messageName: fullName,
                            reason: "The bytes are not a message of this type, or need far more memory than their size."))
                }
                do throws(MalformedMessage) {
                    return .success(try unsafe Self(copying: UnsafeRawPointer(message)))
                } catch {
                    return .failure(error)
                }
            }
        }
    }

    /// Writes the message. The size is worked out first, then `write` is asked for a place of that size.
    ///
    /// - Throws: `MalformedMessage` when a string holds U+0000, which C would take for its end.
    package func encode(
        _ write: (_ byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) -> Void
    ) throws(MalformedMessage) {
        let result: Result<Void, MalformedMessage> = unsafe withUnsafeTemporaryAllocation(
            byteCount: firstBlockByteCount, alignment: 16
        ) { block in
            var arena = unsafe Arena(block, budget: .max)
            do throws(MalformedMessage) {
                let message = try unsafe place(in: &arena).assumingMemoryBound(to: ProtobufCMessage.self)
                unsafe write(protobuf_c_message_get_packed_size(message)) { place in
                    guard let out = place.baseAddress else { return }
                    _ = unsafe protobuf_c_message_pack(message, out.assumingMemoryBound(to: UInt8.self))
                }
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }
}
