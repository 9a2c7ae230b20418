package import FoundationEssentials
internal import Synchronization

/// Makes ids that sort by the time they were made, so that a primary key grows at one end of its index (RFC 9562 §5.7).
///
/// The first 48 bits are milliseconds since 1970. The 12 bits after the version count within the millisecond (§6.2,
/// method 1): two ids of one process are never equal and sort in the order in which they were made, even when the
/// system clock steps back. The other 62 bits are random, which is what keeps ids of different processes apart.
package enum UUIDv7 {
    /// The last id's time and count as one number: milliseconds in the upper 52 bits, the count in the lower 12.
    private static let last = Mutex<UInt64>(0)

    /// A new id. An instant before the last id's is taken as the last id's; the answer's time may then be a little late.
    package static func make(at instant: Instant = .now()) -> UUID {
        var random = SystemRandomNumberGenerator()
        return make(at: instant, random: random.next())
    }

    static func make(at instant: Instant, random: UInt64) -> UUID {
        let milliseconds = UInt64(max(0, instant.microsecondsSinceEpoch / 1_000)) & 0xFFFF_FFFF_FFFF
        let timeAndCount = last.withLock { last in
            // A new millisecond starts its count at zero; a full count runs over into the next millisecond.
            last = max(milliseconds << 12, last + 1)
            return last
        }
        return UUID(timestamp: timeAndCount >> 12, count: UInt16(timeAndCount & 0xFFF), random: random)
    }

    /// When the id was made, to the millisecond; `nil` if it is not of version 7.
    package static func instant(of id: UUID) -> Instant? {
        let bytes = id.uuid
        guard bytes.6 >> 4 == 7 else { return nil }
        var milliseconds: Int64 = 0
        for byte in [bytes.0, bytes.1, bytes.2, bytes.3, bytes.4, bytes.5] {
            milliseconds = milliseconds << 8 | Int64(byte)
        }
        return Instant(microsecondsSinceEpoch: milliseconds * 1_000)
    }
}

extension UUID {
    fileprivate init(timestamp: UInt64, count: UInt16, random: UInt64) {
        func byte(_ value: UInt64, _ shift: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: value >> shift) }
        self.init(uuid: (
            byte(timestamp, 40), byte(timestamp, 32), byte(timestamp, 24),
            byte(timestamp, 16), byte(timestamp, 8), byte(timestamp, 0),
            0x70 | UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count),
            0x80 | byte(random, 56) & 0x3F, byte(random, 48), byte(random, 40), byte(random, 32),
            byte(random, 24), byte(random, 16), byte(random, 8), byte(random, 0)
        ))
    }
}
