import Snapshots
import TestSupport
import Testing

@Suite struct `The checksum` {
    /// RFC 3720, appendix B.4, and the check value of the catalogue of CRCs.
    private static let known: [(bytes: [UInt8], checksum: UInt32)] = [
        (Array(repeating: 0, count: 32), 0x8A91_36AA),
        (Array(repeating: 0xFF, count: 32), 0x62A8_AB43),
        (Array(0..<32), 0x46DD_794E),
        (Array("123456789".utf8), 0xE306_9283),
        ([], 0),
    ]

    @Test func `is that of the standard, by instruction and by table`() {
        for (bytes, checksum) in Self.known {
            #expect(Checksum.of(unsafe bytes.span.bytes) == checksum)
            #expect(Checksum.plain(unsafe bytes.span.bytes) == checksum)
        }
    }

    @Test func `is the same by instruction and by table, whatever the length`() {
        var generator = SeededGenerator(seed: 1)
        for length in 0..<200 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            #expect(Checksum.of(unsafe bytes.span.bytes) == Checksum.plain(unsafe bytes.span.bytes), "\(length) bytes")
        }
    }
}
