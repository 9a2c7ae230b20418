import Contracts
import Testing
import Time

@Suite struct `A timestamp of an instant` {
    @Test(arguments: [
        (0, 0, 0),
        (1_500_000, 1, 500_000_000),
        (-1, -1, 999_999_000),
        (-1_000_000, -1, 0),
        (-62_135_596_800_000_000, -62_135_596_800, 0),
        (253_402_300_799_999_999, 253_402_300_799, 999_999_000),
    ] as [(Int64, Int64, Int32)])
    func `counts its nanoseconds forward, and reads back`(microseconds: Int64, seconds: Int64, nanos: Int32) {
        let instant = Instant(microsecondsSinceEpoch: microseconds)

        let timestamp = GoogleProtobuf.Timestamp(instant)

        #expect(timestamp == GoogleProtobuf.Timestamp(seconds: seconds, nanos: nanos))
        #expect(Instant(timestamp) == instant)
    }

    @Test func `loses what is below a microsecond`() {
        #expect(Instant(GoogleProtobuf.Timestamp(seconds: -1, nanos: 999_999_999)) == Instant(microsecondsSinceEpoch: -1))
    }

    @Test(arguments: [
        (-62_135_596_801, 0), (253_402_300_800, 0), (.max, 0), (.min, 0), (0, -1), (0, 1_000_000_000),
    ] as [(Int64, Int32)])
    func `is none outside the years 1 to 9999 or outside its second`(seconds: Int64, nanos: Int32) {
        #expect(Instant(GoogleProtobuf.Timestamp(seconds: seconds, nanos: nanos)) == nil)
    }
}
