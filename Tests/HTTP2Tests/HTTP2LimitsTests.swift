import HTTP2
import Testing

@Suite struct `A session under attack` {
    @Test func `refuses a peer that does not speak HTTP/2`() throws {
        var server = try HTTP2Session(role: .server)

        let error = #expect(throws: HTTP2Error.self) { try server.receive(Array("GET / HTTP/1.1\r\nhost: a\r\n\r\n".utf8)) }

        #expect(error?.reason.isEmpty == false)
    }

    @Test func `keeps only the header fields that fit its limit, and says so`() throws {
        var settings = HTTP2Settings()
        settings.maxHeaderListBytes = 1_024
        var pair = try SessionPair(server: settings)
        _ = try pair.exchange()

        let stream = try pair.client.sendRequest(
            .request + [HTTP2Header("x-big", String(repeating: "a", count: 2_000))],
            endStream: true
        )
        let learned = try pair.exchange()

        #expect(learned.serverHeaders.contains(Headers(stream, .request, endStream: true, isTruncated: true)))
    }

    @Test func `gives up on a peer that opens and resets streams without end`() throws {
        var settings = HTTP2Settings()
        settings.resetBurst = 20
        settings.resetsPerSecond = 1
        var pair = try SessionPair(server: settings)
        _ = try pair.exchange()

        var learned: [HTTP2Event] = []
        for _ in 0..<60 where !learned.contains(where: { if case .goAway = $0 { true } else { false } }) {
            let stream = try pair.client.sendRequest(.request, endStream: false)
            let request = try SessionPair.output(of: &pair.client)
            pair.client.reset(stream, .cancel)
            try pair.server.receive(request + SessionPair.output(of: &pair.client))
            learned += try pair.exchange().client
        }

        #expect(learned.contains { if case .goAway = $0 { true } else { false } })
    }

    @Test func `gives up on headers that never end`() throws {
        var settings = HTTP2Settings()
        settings.maxContinuations = 4
        var server = try HTTP2Session(role: .server, settings: settings)
        try server.receive(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0])

        // HEADERS on stream 1 without END_HEADERS, then CONTINUATION frames that say nothing.
        try server.receive([0, 0, 0, 1, 0, 0, 0, 0, 1])
        let continuation: [UInt8] = [0, 0, 0, 9, 0, 0, 0, 0, 1]
        let error = #expect(throws: HTTP2Error.self) {
            for _ in 0..<10 { try server.receive(continuation) }
        }

        #expect(error != nil)
    }

    @Test func `answers a frame that breaks the rules with GOAWAY and is then finished`() throws {
        var pair = try SessionPair()
        _ = try pair.exchange()

        // DATA on a stream that was never opened (RFC 9113, section 5.1).
        try pair.server.receive([0, 0, 1, 0, 0, 0, 0, 0, 5, 42])
        let learned = try pair.exchange()

        #expect(learned.client.contains { if case .goAway(_, .protocolError, _) = $0 { true } else { false } })
        let isFinished = pair.server.isFinished
        #expect(isFinished)
    }

    @Test(arguments: [UInt64(1), 2, 3, 4, 5, 6, 7, 8])
    func `survives bytes that were changed on their way`(seed: UInt64) throws {
        var generator = Multiplicative(seed: seed)
        for _ in 0..<200 {
            var pair = try SessionPair()
            let stream = try pair.client.sendRequest(.request, endStream: false)
            pair.client.send([UInt8](repeating: 1, count: 100), on: stream)
            pair.client.finish(stream)
            var bytes = try SessionPair.output(of: &pair.client)
            for _ in 0..<4 {
                let index = Int(generator.next() % UInt64(bytes.count))
                bytes[index] = UInt8(truncatingIfNeeded: generator.next() >> 32)
            }

            // Refusing them is as good as understanding them; what must not happen is a crash or a hang.
            do { try pair.server.receive(bytes) } catch { #expect(!error.reason.isEmpty) }
            _ = try? SessionPair.output(of: &pair.server)  // A session that refused may refuse this too.
        }
    }
}

/// A generator whose sequence a printed seed brings back (Knuth's MMIX constants).
struct Multiplicative: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state
    }
}
