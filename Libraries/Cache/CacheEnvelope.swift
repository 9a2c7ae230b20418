internal import LZ4
internal import Time

/// How a value is written down in Redis: a version, what became of the bytes, when it becomes stale, and the bytes.
///
/// What comes from Redis is taken for what anybody may have put there: a version that is not ours, a length beyond the bound,
/// and bytes that do not unpack are a miss, never a crash and never a large allocation.
struct CacheEnvelope: Hashable {
    /// `nil` says that there is no such thing, which is worth knowing too.
    let value: [UInt8]?
    /// From then on it may still be served, while it is fetched anew.
    let freshUntil: Instant

    /// Bytes before the value: version, kind, when it becomes stale (8), how long the value is unpacked (4).
    static let headerBytes = 14
    private static let version: UInt8 = 1

    private enum Kind: UInt8 {
        case absent = 0
        case plain = 1
        case packed = 2
    }

    enum Problem: Error, Hashable {
        case cutShort
        case otherVersion
        case tooLarge
        case malformed
    }

    init(value: [UInt8]?, freshUntil: Instant) {
        self.value = value
        self.freshUntil = freshUntil
    }

    /// Values of at least `threshold` bytes are packed, if that makes them smaller.
    func encoded(packingFrom threshold: Int) -> [UInt8] {
        var kind = Kind.absent
        var body: [UInt8] = []
        if let value {
            (kind, body) = (.plain, value)
            if value.count >= threshold, let packed = LZ4.compress(value.span) { (kind, body) = (.packed, packed) }
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(CacheEnvelope.headerBytes + body.count)
        bytes.append(CacheEnvelope.version)
        bytes.append(kind.rawValue)
        CacheEnvelope.append(UInt64(bitPattern: freshUntil.microsecondsSinceEpoch), byteCount: 8, to: &bytes)
        CacheEnvelope.append(UInt64(value?.count ?? 0), byteCount: 4, to: &bytes)
        bytes += body
        return bytes
    }

    init(decoding bytes: [UInt8], limit: Int) throws(Problem) {
        guard bytes.count >= CacheEnvelope.headerBytes else { throw .cutShort }
        guard bytes[0] == CacheEnvelope.version else { throw .otherVersion }
        guard let kind = Kind(rawValue: bytes[1]) else { throw .malformed }
        freshUntil = Instant(microsecondsSinceEpoch: Int64(bitPattern: CacheEnvelope.number(in: bytes[2..<10])))
        let count = Int(CacheEnvelope.number(in: bytes[10..<14]))
        guard count <= limit else { throw .tooLarge }
        let body = bytes[CacheEnvelope.headerBytes...]
        switch kind {
        case .absent:
            guard count == 0, body.isEmpty else { throw .malformed }
            value = nil
        case .plain:
            guard body.count == count else { throw .malformed }
            value = Array(body)
        case .packed:
            do throws(LZ4Error) {
                value = try LZ4.decompress(body.span, count: count)
            } catch { throw .malformed }
        }
    }

    private static func append(_ number: UInt64, byteCount: Int, to bytes: inout [UInt8]) {
        for shift in stride(from: (byteCount - 1) * 8, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(shift)))
        }
    }

    private static func number(in bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }
}
