internal import CContracts
internal import RPC

/// What reading and writing have in common for all messages. It is not generic, so there is one of it.
enum MessageCodec {
    /// The stack that an arena begins with: room for an ordinary request, and as much as Swift gives of the stack before
    /// it turns to the heap.
    private static let firstBlockByteCount = 1024

    /// Checks the bytes, has protobuf-c unpack them, and lends the C struct to `copy`.
    static func read(
        _ bytes: RawSpan,
        _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>,
        _ copy: (UnsafeRawPointer) throws(MalformedMessage) -> Void
    ) throws(MalformedMessage) {
        let failure: MalformedMessage? = unsafe bytes.withUnsafeBytes { bytes in
            var check = unsafe WireCheck(bytes)
            do throws(MalformedMessage) {
                try unsafe check.message(descriptor)
            } catch {
                return error
            }
            guard check.hasRepeatedMessage else { return unsafe unpack(bytes, descriptor, copy) }
            let merged = unsafe WireMerge.merged(bytes, as: descriptor)
            return unsafe merged.withUnsafeBytes { unsafe unpack($0, descriptor, copy) }
        }
        if let failure { throw failure }
    }

    /// `nil` when the message was unpacked and copied.
    private static func unpack(
        _ bytes: UnsafeRawBufferPointer,
        _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>,
        _ copy: (UnsafeRawPointer) throws(MalformedMessage) -> Void
    ) -> MalformedMessage? {
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
                        descriptor, &allocator, bytes.count, bytes.baseAddress)
                else {
                    return unsafe MalformedMessage(
                        messageName: String(cString: descriptor.pointee.name),
                        reason: "The bytes are not a message of this type, or need far more memory than their size.")
                }
                do throws(MalformedMessage) {
                    try unsafe copy(UnsafeRawPointer(message))
                    return nil
                } catch {
                    return error
                }
            }
        }
    }

    /// Has `place` make the C struct, asks `write` for room, and has protobuf-c pack into it.
    static func write(
        _ write: (_ byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) -> Void,
        _ place: (inout Arena) throws(MalformedMessage) -> UnsafeMutableRawPointer
    ) throws(MalformedMessage) {
        let failure: MalformedMessage? = unsafe withUnsafeTemporaryAllocation(
            byteCount: firstBlockByteCount, alignment: 16
        ) { block in
            var arena = unsafe Arena(block, budget: .max)
            do throws(MalformedMessage) {
                let message = try unsafe place(&arena).assumingMemoryBound(to: ProtobufCMessage.self)
                unsafe write(protobuf_c_message_get_packed_size(message)) { place in
                    guard let out = place.baseAddress else { return }
                    _ = unsafe protobuf_c_message_pack(message, out.assumingMemoryBound(to: UInt8.self))
                }
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }
}
