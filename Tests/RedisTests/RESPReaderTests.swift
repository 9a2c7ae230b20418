import NIOCore
import TestSupport
import Testing

@testable import Redis

@Suite struct `The RESP reader` {
    /// Feeds bytes in portions and returns the replies, or the sentence of the violation.
    func read(
        _ bytes: [UInt8], portion: Int = .max, maxReplyBytes: Int = 1 << 20
    ) -> (replies: [RESPValue], violation: String?) {
        var reader = RESPReader(maxReplyBytes: maxReplyBytes)!
        var replies: [RESPValue] = []
        do throws(RESPReader.Violation) {
            var rest = bytes[...]
            while !rest.isEmpty {
                let next = ByteBuffer(bytes: rest.prefix(portion))
                rest = rest.dropFirst(portion)
                try reader.feed(next.readableBytesSpan)
                while let reply = try reader.next() { replies.append(reply) }
            }
            return (replies, nil)
        } catch {
            return (replies, error.description)
        }
    }

    func read(_ text: String, portion: Int = .max, maxReplyBytes: Int = 1 << 20) -> (
        replies: [RESPValue], violation: String?
    ) { read(Array(text.utf8), portion: portion, maxReplyBytes: maxReplyBytes) }

    /// Written down by redis-cli's documentation and the RESP specification, not by us.
    static let conversation =
        "+OK\r\n:1000\r\n$5\r\nhello\r\n$0\r\n\r\n$-1\r\n*-1\r\n*0\r\n*2\r\n$5\r\nhello\r\n$5\r\nworld\r\n"
        + "*3\r\n:1\r\n*2\r\n+a\r\n-ERR b\r\n$-1\r\n-WRONGTYPE Operation\r\n"

    static let replies: [RESPValue] = [
        .status("OK"), .integer(1000), .bytes(Array("hello".utf8)), .bytes([]), .null, .null, .array([]),
        .array([.bytes(Array("hello".utf8)), .bytes(Array("world".utf8))]),
        .array([.integer(1), .array([.status("a"), .error(RESPError(line: "ERR b"))]), .null]),
        .error(RESPError(line: "WRONGTYPE Operation")),
    ]

    @Test(arguments: [1, 2, 3, 7, 64, .max])
    func `reads the same replies however the bytes are cut`(portion: Int) {
        let (replies, violation) = read(Self.conversation, portion: portion)

        #expect(replies == Self.replies)
        #expect(violation == nil)
    }

    @Test func `keeps bytes that look like protocol`() {
        let (replies, _) = read("$7\r\n+OK\r\n\r\n\r\n:1\r\n")

        #expect(replies == [.bytes(Array("+OK\r\n\r\n".utf8)), .integer(1)])
    }

    @Test(arguments: ["HTTP/1.1 200 OK\r\n", "?\r\n", "\u{0}\u{1}\u{2}\r\n", "%1\r\n", ":abc\r\n", "$-2\r\n", "*-2\r\n", "$x\r\n"])
    func `refuses what is not RESP`(text: String) {
        let (replies, violation) = read(text)

        #expect(replies.isEmpty)
        #expect(violation != nil)
    }

    @Test func `allocates no array that is only announced`() {
        // hiredis' own reply objects would ask for 16 GB here.
        let (replies, violation) = read("*2147483647\r\n:1\r\n")

        #expect(replies.isEmpty)
        #expect(violation == nil)
    }

    @Test func `refuses a reply that is larger than allowed, whole or in pieces`() {
        let announced = read("$2000000\r\n" + String(repeating: "a", count: 1001), portion: 100, maxReplyBytes: 1000)
        let elements = read("*100000\r\n" + String(repeating: ":1\r\n", count: 300), portion: 100, maxReplyBytes: 1000)
        let line = read("+" + String(repeating: "a", count: 2000), portion: 100, maxReplyBytes: 1000)

        for result in [announced, elements, line] {
            #expect(result.replies.isEmpty)
            #expect(result.violation?.contains("1000 bytes") == true)
        }
    }

    @Test func `counts each reply by itself`() {
        let reply = "$500\r\n" + String(repeating: "a", count: 500) + "\r\n"

        let (replies, violation) = read(String(repeating: reply, count: 50), portion: 33, maxReplyBytes: 1000)

        #expect(replies.count == 50)
        #expect(violation == nil)
    }

    @Test func `refuses a reply that is nested too deep`() {
        let seven = read(String(repeating: "*1\r\n", count: 7) + ":1\r\n")
        let thousand = read(String(repeating: "*1\r\n", count: 1000))

        #expect(seven.replies.count == 1)
        #expect(thousand.replies.isEmpty)
        #expect(thousand.violation?.contains("depth") == true)
    }

    @Test func `never crashes on random bytes`() {
        var random = SeededGenerator(seed: 20_261_123)
        for _ in 0..<2000 {
            var bytes = Array(Self.conversation.utf8)
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = .random(in: .min ... .max, using: &random)
            }
            _ = read(bytes, portion: Int.random(in: 1...64, using: &random), maxReplyBytes: 4096)
        }
    }

    @Test func `takes the arguments out of an error that repeats them`() {
        let error = RESPError(line: "ERR unknown command 'FOO', with args beginning with: 'secret' ")

        #expect(error.code == "ERR")
        #expect(error.message == "ERR unknown command 'FOO'")
    }
}

@Suite struct `A command on the wire` {
    @Test func `writes an array of bulk strings`() {
        var buffer = ByteBuffer()
        let command: RedisCommand = ["SET", "", [0, 255] as [UInt8], -5]

        command.write(to: &buffer)

        let expected = Array("*4\r\n$3\r\nSET\r\n$0\r\n\r\n$2\r\n".utf8) + [0, 255] + Array("\r\n$2\r\n-5\r\n".utf8)
        #expect(Array(buffer.readableBytesView) == expected)
    }

    @Test func `writes a command of nothing but empty arguments`() {
        var buffer = ByteBuffer()

        (["", ""] as RedisCommand).write(to: &buffer)

        #expect(String(buffer: buffer) == "*2\r\n$0\r\n\r\n$0\r\n\r\n")
    }
}
