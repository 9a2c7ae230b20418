import Testing

@testable import RPC

@Suite struct `A message's frame` {
    private func read(_ bytes: [UInt8], limit: Int = 100, pieces: Int = .max) throws -> [[UInt8]] {
        var reader = MessageFrameReader(maxMessageBytes: limit)
        var messages: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(pieces))
            try unsafe reader.read(piece.span.bytes) { messages.append($0) }
            rest = rest.dropFirst(pieces)
        }
        try reader.finish()
        return messages
    }

    @Test func `is a flag, a big-endian length and the message`() throws {
        let frame = try MessageFrame.encode(RawMessage([7, 8, 9]), limit: 3)

        #expect(frame == [0, 0, 0, 0, 3, 7, 8, 9])
    }

    @Test(arguments: [1, 2, 3, 5, 7, 1_000])
    func `is found in pieces of any size`(pieces: Int) throws {
        let messages: [[UInt8]] = [[1, 2, 3], [], [UInt8](repeating: 9, count: 50), [], [4]]
        let bytes = try messages.flatMap { try MessageFrame.encode(RawMessage($0), limit: 100) }

        #expect(try read(bytes, pieces: pieces) == messages)
    }

    @Test func `may announce as much as the limit and no more`() throws {
        #expect(try read([0, 0, 0, 0, 2, 1, 1], limit: 2) == [[1, 1]])
        #expect(throws: FrameProblem.tooLarge(byteCount: 3, limit: 2)) { try read([0, 0, 0, 0, 3], limit: 2) }
        #expect(throws: FrameProblem.tooLarge(byteCount: 0xFFFF_FFFF, limit: 2)) { try read([0, 255, 255, 255, 255], limit: 2) }
    }

    @Test func `may not be compressed, for no encoding was agreed`() {
        #expect(throws: FrameProblem.compressed) { try read([1, 0, 0, 0, 0]) }
        #expect(throws: FrameProblem.unknownFlag(2)) { try read([2, 0, 0, 0, 0]) }
    }

    @Test(arguments: [[0], [0, 0, 0, 0], [0, 0, 0, 0, 2], [0, 0, 0, 0, 2, 1]] as [[UInt8]])
    func `may not end before the message does`(bytes: [UInt8]) {
        #expect(throws: FrameProblem.cutShort) { try read(bytes) }
    }

    @Test func `is not written around a message larger than the limit`() {
        let error = #expect(throws: RPCError.self) { try MessageFrame.encode(RawMessage([1, 2, 3]), limit: 2) }

        #expect(error?.code == .resourceExhausted)
    }
}
