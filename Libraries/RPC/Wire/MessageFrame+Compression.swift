internal import Gzip

extension MessageFrame {
    /// Packing a larger frame takes milliseconds.
    private static let maxBytesPackedInPlace = 16 << 10

    /// The frame with its message packed by gzip, made elsewhere when it takes long; the frame itself when packing makes it
    /// no smaller, which compression.md leaves to the sender.
    static func packed(_ frame: [UInt8]) async -> [UInt8] {
        if frame.count <= maxBytesPackedInPlace { return pack(frame) }
        return await Elsewhere.compute { pack(frame) }
    }

    private static func pack(_ frame: [UInt8]) -> [UInt8] {
        // Without memory for packing, the message still goes as it is.
        guard let message = try? Gzip.compress(frame[prefixBytes...]), message.count + prefixBytes < frame.count else {
            return frame
        }
        var packed: [UInt8] = [1]
        packed.reserveCapacity(prefixBytes + message.count)
        for shift in stride(from: 24, through: 0, by: -8) { packed.append(UInt8(truncatingIfNeeded: message.count >> shift)) }
        packed += message
        return packed
    }
}
