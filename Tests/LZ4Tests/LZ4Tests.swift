import LZ4
import Testing

private func packed(_ bytes: [UInt8]) -> [UInt8]? { LZ4.compress(bytes.span) }

private func unpacked(_ block: [UInt8], _ count: Int) throws -> [UInt8] { try LZ4.decompress(block.span, count: count) }

@Suite struct `An LZ4 block` {
    @Test(arguments: [1, 13, 1_000, 70_000, 1_000_000])
    func `comes back as it was`(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 / 7 % 50) }

        guard let block = packed(bytes) else {
            #expect(count < 20)
            return
        }

        #expect(block.count < count)
        #expect(try unpacked(block, count) == bytes)
    }

    @Test func `is not made of what does not shrink`() {
        var generator = SystemRandomNumberGenerator()
        let noise = (0..<1_000).map { _ in UInt8.random(in: 0...255, using: &generator) }

        #expect(packed(noise) == nil)
        #expect(packed([]) == nil)
    }

    @Test func `of another length is refused`() throws {
        let block = try #require(packed([UInt8](repeating: 7, count: 1_000)))

        for count in [0, 1, 999, 1_001, 1 << 20, -1, LZ4.maxBytes + 1] {
            #expect(throws: LZ4Error.malformed) { try unpacked(block, count) }
        }
    }

    /// A block of 4 KB can claim to hold a megabyte: what is written is what was asked for.
    @Test func `that would unpack to more than is asked for stops there`() throws {
        let bomb = try #require(packed([UInt8](repeating: 0, count: 1 << 20)))

        #expect(bomb.count < 5_000)
        #expect(throws: LZ4Error.malformed) { try unpacked(bomb, 4_096) }
    }

    @Test func `that is damaged is refused or comes out with its length`() throws {
        let bytes = (0..<5_000).map { UInt8(truncatingIfNeeded: $0 / 9) }
        let block = try #require(packed(bytes))

        for position in block.indices {
            var damaged = block
            damaged[position] ^= 0xff
            do { #expect(try unpacked(damaged, bytes.count).count == bytes.count) } catch {
                #expect(error as? LZ4Error == .malformed)
            }
        }
        for length in 0..<block.count {
            #expect(throws: LZ4Error.malformed) { try unpacked(Array(block.prefix(length)), bytes.count) }
        }
    }
}
