/// Why the bytes of a body are not the messages that they should be.
enum FrameProblem: Error, Hashable {
    case tooLarge(byteCount: Int, limit: Int)
    case compressed
    case unknownFlag(UInt8)
    /// The body ended within a message.
    case cutShort
}

/// Finds the messages in a body that arrives in pieces of any size. It keeps no more than one unfinished message, and
/// never sets aside more memory than a peer has sent, whatever size was announced.
struct MessageFrameReader {
    let maxMessageBytes: Int
    /// Whether the peer named an encoding, so that frames may say that they are packed.
    var acceptsCompressed = false
    private var isCompressed = false
    private var prefix: UInt64 = 0
    private var prefixCount = 0
    private var message: [UInt8] = []
    private var missing = 0

    init(maxMessageBytes: Int) {
        self.maxMessageBytes = maxMessageBytes
    }

    /// What is kept of the message that is not complete.
    var unfinishedBytes: Int { message.count }

    /// Takes a piece of the body, and hands on each message that it completes.
    mutating func read(_ bytes: RawSpan, _ deliver: (ReceivedMessage) -> Void) throws(FrameProblem) {
        var offset = 0
        while offset < bytes.byteCount {
            while prefixCount < MessageFrame.prefixBytes, offset < bytes.byteCount {
                prefix = unsafe prefix << 8 | UInt64(bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self))
                prefixCount += 1
                offset += 1
                if prefixCount == MessageFrame.prefixBytes { try begin() }
            }
            guard prefixCount == MessageFrame.prefixBytes else { return }
            let count = min(missing, bytes.byteCount - offset)
            let piece = bytes.extracting(offset..<offset + count)
            if message.isEmpty {
                message = [UInt8](copying: piece)
            } else {
                unsafe piece.withUnsafeBytes { unsafe message.append(contentsOf: $0) }
            }
            offset += count
            missing -= count
            if missing == 0 {
                let complete = message
                message = []
                prefix = 0
                prefixCount = 0
                deliver(ReceivedMessage(bytes: complete, isCompressed: isCompressed))
            }
        }
    }

    /// Says that the body has ended.
    func finish() throws(FrameProblem) {
        if prefixCount != 0 { throw .cutShort }
    }

    private mutating func begin() throws(FrameProblem) {
        let flag = UInt8(truncatingIfNeeded: prefix >> 32)
        if flag == 1, !acceptsCompressed { throw .compressed }
        if flag > 1 { throw .unknownFlag(flag) }
        isCompressed = flag == 1
        missing = Int(prefix & 0xFFFF_FFFF)
        if missing > maxMessageBytes { throw .tooLarge(byteCount: missing, limit: maxMessageBytes) }
    }
}

extension RPCError {
    init(_ problem: FrameProblem) {
        switch problem {
        case .tooLarge(let byteCount, let limit):
            self.init(.resourceExhausted, "A message of \(byteCount) bytes is larger than the limit of \(limit).")
        case .compressed:
            // Without an encoding in the head of the call the flag may not be set (gRPC's compression.md).
            self.init(.internalError, "A message is marked as compressed, but the call names no encoding.")
        case .unknownFlag(let flag):
            self.init(.internalError, "A message begins with \(flag), which is neither 0 nor 1.")
        case .cutShort:
            self.init(.internalError, "The body ended within a message.")
        }
    }
}
