import Testing

@testable import RPC

@Suite struct `A message's frame` {
    private func read(_ bytes: [UInt8], limit: Int = 100, pieces: Int = .max) throws -> [[UInt8]] {
        var reader = MessageFrameReader(maxMessageBytes: limit)
        var messages: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(pieces))
            try unsafe reader.read(piece.span.bytes) { messages.append($0.bytes) }
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

    @Test func `may not be compressed while no encoding is named`() {
        #expect(throws: FrameProblem.compressed) { try read([1, 0, 0, 0, 0]) }
        #expect(throws: FrameProblem.unknownFlag(2)) { try read([2, 0, 0, 0, 0]) }
    }

    @Test func `tells compressed messages from others where an encoding is named`() throws {
        var reader = MessageFrameReader(maxMessageBytes: 10)
        reader.acceptsCompressed = true
        var messages: [ReceivedMessage] = []
        let (good, bad): ([UInt8], [UInt8]) = ([1, 0, 0, 0, 1, 7, 0, 0, 0, 0, 1, 8], [2, 0, 0, 0, 0])

        try unsafe reader.read(good.span.bytes) { messages.append($0) }

        #expect(messages == [.init(bytes: [7], isCompressed: true), .init(bytes: [8])])
        #expect(throws: FrameProblem.unknownFlag(2)) { try unsafe reader.read(bad.span.bytes) { _ in } }
    }

    @Test func `is packed where that makes it smaller, and left alone where not`() async throws {
        let zeros = try MessageFrame.encode(RawMessage([UInt8](repeating: 0, count: 100_000)), limit: .max)
        let short = try MessageFrame.encode(RawMessage([1, 2, 3]), limit: .max)

        let packed = await MessageFrame.packed(zeros)

        #expect(packed.first == 1)
        #expect(packed.count < 1_000)
        #expect(await MessageFrame.packed(short) == short)
        let message = ReceivedMessage(bytes: Array(packed[5...]), isCompressed: true)
        #expect(try await message.unpacked(limit: 100_000) == Array(zeros[5...]))
        await #expect { try await message.unpacked(limit: 99_999) } throws: { ($0 as? RPCError)?.code == .resourceExhausted }
    }

    @Test func `holds no message when it is damaged`() async {
        let damaged = ReceivedMessage(bytes: [1, 2, 3], isCompressed: true)

        await #expect { try await damaged.unpacked(limit: 100) } throws: { ($0 as? RPCError)?.code == .internalError }
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
