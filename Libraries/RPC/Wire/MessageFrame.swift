/// A message as gRPC frames it: one byte that says whether it is compressed, four that say how long it is, then itself.
enum MessageFrame {
    static let prefixBytes = 5

    /// Writes a message straight into its frame.
    static func encode(_ message: some Message, limit: Int) throws(RPCError) -> [UInt8] {
        var frame: [UInt8] = []
        var refused: Int?
        do {
            try unsafe message.encode { byteCount, fill in
                guard byteCount <= limit, byteCount <= Int(UInt32.max) else {
                    refused = byteCount
                    return
                }
                frame = unsafe [UInt8](unsafeUninitializedCapacity: prefixBytes + byteCount) { place, count in
                    unsafe place[0] = 0
                    for index in 1...4 {
                        unsafe place[index] = UInt8(truncatingIfNeeded: byteCount >> (8 * (4 - index)))
                    }
                    let rest = unsafe UnsafeMutableRawBufferPointer(place)[prefixBytes..<prefixBytes + byteCount]
                    unsafe fill(UnsafeMutableRawBufferPointer(rebasing: rest))
                    count = prefixBytes + byteCount
                }
            }
        } catch {
            throw RPCError(.internalError, "The message \(error.messageName) could not be written.", cause: error)
        }
        if let refused {
            throw RPCError(.resourceExhausted, "A message of \(refused) bytes is larger than the limit of \(limit).")
        }
        return frame
    }
}
