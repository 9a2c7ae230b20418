import Logging
import RPC
import Testing

/// What a server can do to a client: end the calls that were made to it, and nothing else.
@Suite struct `A client of a hostile server` {
    struct Attack: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let words: [UInt8]
        let codes: Set<StatusCode>

        init(_ name: String, _ words: [UInt8], _ codes: Set<StatusCode> = [.unavailable]) {
            testDescription = name
            self.words = words
            self.codes = codes
        }
    }

    private static func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt8, _ payload: [UInt8] = []) -> [UInt8] {
        HostilePeer.frame(type, flags, stream, payload)
    }

    private static func repeated(_ bytes: [UInt8], _ count: Int) -> [UInt8] {
        HostilePeer.repeated(bytes, count)
    }

    private static let head = HostilePeer.frame(1, 4, 1, HostilePeer.head)

    static let attacks: [Attack] = [
        // Frames that break a rule (RFC 9113, section 6).
        Attack("no HTTP/2 at all", Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8) + [UInt8](repeating: 0, count: 100)),
        Attack("DATA on stream 0", frame(0, 0, 0, [1])),
        Attack("DATA before headers", frame(0, 0, 1, [1]), [.unavailable, .internalError]),
        Attack("DATA above the largest size", [0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1]),
        Attack("DATA on a stream nobody began", frame(0, 0, 7, [1])),
        Attack("headers that make no sense", frame(1, 4, 1, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff])),
        Attack("headers on a stream of the server's own", frame(1, 5, 2, HostilePeer.head)),
        Attack("headers without a status", frame(1, 4, 1, HostilePeer.ok), [.internalError, .unavailable]),
        Attack("a name in upper case", frame(1, 4, 1, HostilePeer.head + [0, 1, 0x41, 1, 0x61]), [.internalError, .unavailable]),
        Attack("PRIORITY of four bytes", frame(2, 0, 1, [0, 0, 0, 0]) + frame(7, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0])),
        Attack("RST_STREAM of three bytes", frame(3, 0, 1, [0, 0, 0])),
        Attack("SETTINGS of five bytes", frame(4, 0, 0, [0, 0, 0, 0, 0])),
        Attack("SETTINGS that allow a server to be pushed to", frame(4, 0, 0, [0, 2, 0, 0, 0, 1])),
        Attack("PUSH_PROMISE, after it has agreed to none", frame(4, 1, 0) + frame(5, 4, 1, [0, 0, 0, 2] + HostilePeer.head)),
        Attack("PING of seven bytes", frame(6, 0, 0, [0, 0, 0, 0, 0, 0, 0])),
        Attack("GOAWAY of seven bytes", frame(7, 0, 0, [0, 0, 0, 0, 0, 0, 0])),
        Attack("WINDOW_UPDATE of 0", frame(8, 0, 0, [0, 0, 0, 0])),
        Attack("windows above their limit", repeated(frame(8, 0, 0, [0x7f, 0xff, 0xff, 0xff]), 2)),
        Attack("CONTINUATION of nothing", frame(9, 4, 1, HostilePeer.head)),
        // Floods.
        Attack("CONTINUATION without end", frame(1, 0, 1, HostilePeer.head) + repeated(frame(9, 0, 1), 10_000)),
        Attack("GOAWAY upon GOAWAY", repeated(frame(7, 0, 0, [0, 0, 0, 0, 0, 0, 0, 11]), 10_000)),
        Attack("resets of everything", repeated(frame(3, 0, 1, [0, 0, 0, 2]), 10_000), [.internalError]),
        // Answers that gRPC does not know.
        Attack(
            "an end without trailers", head + frame(0, 1, 1, [0, 0, 0, 0, 1, 0x61]), [.unknown]),
        Attack("a message larger than allowed", head + frame(0, 0, 1, [0, 0xff, 0xff, 0xff, 0xff]), [.resourceExhausted]),
        Attack("a message that is cut short", head + frame(0, 0, 1, [0, 0, 0, 0, 9, 1]) + frame(1, 5, 1, HostilePeer.ok), [.internalError]),
        Attack("OK without a message", head + frame(1, 5, 1, HostilePeer.ok), [.unimplemented]),
        Attack(
            "metadata larger than allowed",
            frame(1, 4, 1, HostilePeer.head + repeated([0x40, 1, 0x61, 0x7f, 0x80, 0x1e] + [UInt8](repeating: 0x62, count: 3_967), 1)
                + [UInt8](repeating: 0xbe, count: 5_000)),
            [.resourceExhausted]),
    ]

    @Test(.timeLimit(.minutes(1)), arguments: attacks)
    func `loses its call and nothing else`(attack: Attack) async throws {
        var configuration = RPCChannelConfiguration()
        configuration.maxTransparentRetries = 1
        let error = try await HostilePeer.serve(attack.words) { [configuration] port in
            let channel = RPCChannel(
                target: ("127.0.0.1", port), configuration: configuration,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let error = await #expect(throws: RPCError.self) {
                try await channel.unary(Notes.say, "a", options: .init(timeout: .seconds(30)))
            }
            await channel.close()
            return error
        }
        let elsewhere = try await withLoopback([NotesService.echo]) { try await $0.channel.unary(Notes.say, "b") }

        let code = try #require(error?.code)
        #expect(attack.codes.contains(code), "\(error?.description ?? "")")
        #expect(elsewhere == "b")
    }

    static let noises: [Attack] = [
        Attack("early hints", repeated(frame(1, 4, 1, HostilePeer.earlyHints), 10_000) + head),
        Attack("pings", repeated(frame(6, 0, 0, [UInt8](repeating: 0, count: 8)), 900) + head),
        Attack("settings", repeated(frame(4, 0, 0), 900) + head),
        Attack("unknown frames", repeated(frame(0x42, 0xff, 1, [1, 2, 3]), 10_000) + head),
        Attack("empty DATA", head + repeated(frame(0, 0, 1), 10_000)),
    ]

    @Test(.timeLimit(.minutes(1)), arguments: noises)
    func `puts up with what says nothing`(noise: Attack) async throws {
        let answer = Self.frame(0, 0, 1, [0, 0, 0, 0, 1, 0x61]) + Self.frame(1, 5, 1, HostilePeer.ok)

        let note = try await HostilePeer.serve(noise.words + answer) { port in
            let channel = RPCChannel(
                target: ("127.0.0.1", port), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let note = try await channel.unary(Notes.say, "a", options: .init(timeout: .seconds(30)))
            await channel.close()
            return note
        }

        #expect(note == "a")
    }
}
