internal import TestSupport
internal import Testing

@testable internal import Vectors

@Suite struct `An embedding in its column` {
    /// Numbers at the edges of Float, and 2,000 random bit patterns.
    static var components: [Float] {
        var generator = SeededGenerator(seed: 20_261_123)
        let edges: [Float] = [
            0, -0.0, 1, -1, 0.1, 1e-5, .leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude,
            -.greatestFiniteMagnitude, 16_777_216, 16_777_215, .pi,
        ]
        return edges + (0..<2_000).map { _ in Float(bitPattern: generator.next32()) }.filter(\.isFinite)
    }

    @Test func `is the same after a round trip through text, to the last bit`() throws {
        let decoded = try #require(EmbeddingText.decode(EmbeddingText.encode(Self.components)))

        #expect(decoded.map(\.bitPattern) == Self.components.map(\.bitPattern))
    }

    @Test func `is the same after a round trip through bytes, to the last bit`() throws {
        let decoded = try #require(EmbeddingBytes.decode(EmbeddingBytes.encode(Self.components)))

        #expect(decoded.map(\.bitPattern) == Self.components.map(\.bitPattern))
    }

    @Test func `is written as pgvector writes it`() {
        #expect(EmbeddingText.encode([0.5, -2]) == "[0.5,-2.0]")
        #expect(EmbeddingBytes.encode([1, -2]) == [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0])
    }

    @Test func `is read as pgvector and Python print it`() {
        #expect(EmbeddingText.decode("[1,2.5,-1e-05,3E+2]") == [1, 2.5, -1e-05, 300])
        #expect(EmbeddingText.decode("[0.1, 0.2]") == nil)
    }

    @Test(arguments: ["", "[", "[]", "1,2", "[1,2", "[1,,2]", "[1,nan]", "[inf]", "[1e99]", "[1,x]"])
    func `is refused when the text is none`(_ text: String) {
        #expect(EmbeddingText.decode(text) == nil)
    }

    @Test(arguments: [[1, 2, 3], [0, 0, 0xC0, 0x7F], [0, 0, 0x80, 0x7F]] as [[UInt8]])
    func `is refused when the bytes are none`(_ bytes: [UInt8]) {
        #expect(EmbeddingBytes.decode(bytes) == nil)
    }
}
