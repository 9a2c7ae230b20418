import Gzip
import Testing

@Suite struct `A gzip member` {
    /// Made by Python's `gzip.compress(b"systole, diastole; systole, diastole", mtime=0)`.
    private static let madeByPython: [UInt8] = [
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x2b, 0xae, 0x2c, 0x2e, 0xc9, 0xcf,
        0x49, 0xd5, 0x51, 0x48, 0xc9, 0x4c, 0x04, 0xb3, 0xac, 0x15, 0x8a, 0xd1, 0x85, 0x00, 0x80, 0xd2,
        0xcb, 0x3d, 0x24, 0x00, 0x00, 0x00,
    ]

    @Test func `unpacks what another implementation packed`() throws {
        let text = try Gzip.decompress(Self.madeByPython[...], limit: 100)

        #expect(String(decoding: text, as: UTF8.self) == "systole, diastole; systole, diastole")
    }

    @Test(arguments: [0, 1, 100, 16_383, 16_384, 16_385, 1_000_000])
    func `gives back what it was given`(byteCount: Int) throws {
        var generator = SystemRandomNumberGenerator()
        let random = (0..<byteCount).map { _ in UInt8.random(in: 0...15, using: &generator) }

        let packed = try Gzip.compress(random[...])

        #expect(try Gzip.decompress(packed[...], limit: byteCount) == random)
    }

    @Test func `takes a part of an array for what it is`() throws {
        let frame: [UInt8] = [9, 9, 9] + Self.madeByPython + [9]

        let text = try Gzip.decompress(frame[3..<frame.count - 1], limit: 36)

        #expect(text.count == 36)
    }

    @Test func `stops at the limit, however much there is`() throws {
        // 1 GiB of zeros in pieces, each packed by itself, is what a bomb holds; one of 64 MiB shows the same.
        let bomb = try Gzip.compress([UInt8](repeating: 0, count: 64 << 20)[...])

        #expect(throws: GzipError.tooLarge(limit: 1_000)) { try Gzip.decompress(bomb[...], limit: 1_000) }
        #expect(throws: GzipError.tooLarge(limit: (64 << 20) - 1)) {
            try Gzip.decompress(bomb[...], limit: (64 << 20) - 1)
        }
        #expect(try Gzip.decompress(bomb[...], limit: 64 << 20).count == 64 << 20)
    }

    @Test func `refuses every prefix of a member`() {
        for count in 0..<Self.madeByPython.count {
            #expect(throws: GzipError.cutShort) { try Gzip.decompress(Self.madeByPython[..<count], limit: 100) }
        }
    }

    @Test func `refuses whatever follows a member`() {
        let twice = Self.madeByPython + Self.madeByPython

        #expect(throws: GzipError.trailingBytes) { try Gzip.decompress(twice[...], limit: 100) }
    }

    @Test func `refuses a damaged member`() {
        for index in [0, 1, 2, 12, 30, 34, 36] {
            var damaged = Self.madeByPython
            damaged[index] ^= 0xff

            #expect(throws: GzipError.self) { try Gzip.decompress(damaged[...], limit: 100) }
        }
    }

    @Test func `survives random bytes behind a true header`() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            let bytes = Self.madeByPython[..<10] + (0..<40).map { _ in UInt8.random(in: 0...255, using: &generator) }

            // Random bytes hold their own checksum once in 2^32.
            #expect(throws: GzipError.self) { try Gzip.decompress(bytes, limit: 4_096) }
        }
    }
}
