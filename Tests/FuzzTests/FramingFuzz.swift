import Gzip
@testable import RPC

/// A body of gRPC messages in pieces of any size, compressed or not. The first byte chooses the limit and whether an
/// encoding was named, the second the pieces.
enum FramingFuzz {
    private struct Reading: Equatable {
        var messages: [ReceivedMessage] = []
        var problem: FrameProblem?
    }

    static func run(_ bytes: [UInt8]) throws {
        var input = FuzzInput(bytes)
        let choice = input.byte()
        let limit = 1 << Int(choice % 20)
        let pieceBytes = 1 + Int(input.byte())
        let body = input.remaining()

        let whole = read(body, choice, limit: limit, pieceBytes: max(1, body.count))
        let pieces = read(body, choice, limit: limit, pieceBytes: pieceBytes)
        try Finding.unless(whole == pieces, "pieces of \(pieceBytes) bytes are read otherwise than the whole")
        var written: [UInt8] = []
        for message in whole.messages {
            try Finding.unless(message.bytes.count <= limit, "\(message.bytes.count) bytes where \(limit) are the limit")
            var frame = try MessageFrame.encode(RawMessage(message.bytes), limit: limit)
            if message.isCompressed {
                frame[0] = 1
                try unpack(message.bytes, limit: limit)
            }
            written += frame
        }
        try Finding.unless(body.starts(with: written), "what was read is not what was sent")
        if whole.problem == nil { try Finding.unless(body.count == written.count, "bytes were lost without an error") }
        if let problem = whole.problem { _ = RPCError(problem) }
    }

    private static func unpack(_ bytes: [UInt8], limit: Int) throws {
        guard let unpacked = try? Gzip.decompress(bytes[...], limit: limit) else { return }
        try Finding.unless(unpacked.count <= limit, "\(unpacked.count) bytes unpacked where \(limit) are the limit")
        let packed = try Gzip.compress(unpacked[...])
        try Finding.unless(try Gzip.decompress(packed[...], limit: limit) == unpacked, "packing changed a message")
    }

    private static func read(_ body: [UInt8], _ choice: UInt8, limit: Int, pieceBytes: Int) -> Reading {
        var reader = MessageFrameReader(maxMessageBytes: limit)
        reader.acceptsCompressed = choice >= 128
        var reading = Reading()
        do throws(FrameProblem) {
            for start in stride(from: 0, to: body.count, by: pieceBytes) {
                let piece = start..<min(body.count, start + pieceBytes)
                unsafe try reader.read(body.span.bytes.extracting(piece)) { reading.messages.append($0) }
            }
            try reader.finish()
        } catch {
            reading.problem = error
        }
        return reading
    }
}
