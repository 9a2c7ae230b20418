import HTTP2
import Testing

@Suite struct `A session` {
    @Test func `carries a request, its body and the answer with trailers`() throws {
        var pair = try SessionPair()

        let stream = try pair.client.sendRequest(.request, endStream: false)
        pair.client.send([1, 2, 3], on: stream)
        pair.client.finish(stream)
        let asked = try pair.exchange()
        try pair.server.sendResponse(.response, on: stream, endStream: false)
        pair.server.send([4, 5], on: stream)
        pair.server.finish(stream, trailers: [HTTP2Header("grpc-status", "0")])
        let answered = try pair.exchange()

        #expect(asked.serverHeaders.contains(Headers(stream, .request, endStream: false)))
        #expect(asked.server.contains(.data(stream, 0..<3)))
        #expect(asked.serverBody == [1, 2, 3])
        #expect(asked.server.contains(.endStream(stream)))
        #expect(answered.clientHeaders.contains(Headers(stream, .response, endStream: false)))
        #expect(answered.clientBody == [4, 5])
        #expect(answered.clientHeaders.contains(Headers(stream, [HTTP2Header("grpc-status", "0")], endStream: true)))
        #expect(answered.client.last == .streamClosed(stream, .noError))
        #expect(!answered.server.contains(.answeredEarly(stream)))
    }

    @Test func `puts fixed fields before the others of a message`() throws {
        let fixed = HTTP2FixedFields([HTTP2Header(":status", "200"), HTTP2Header("server", "test")])
        let status = HTTP2FixedFields([HTTP2Header("grpc-status", "0")])
        var pair = try SessionPair()
        let stream = try pair.client.sendRequest(.request, endStream: true)
        _ = try pair.exchange()

        try pair.server.sendResponse([HTTP2Header("x-a", "1")], after: fixed, on: stream, endStream: false)
        pair.server.finish(stream, after: status)
        let answered = try pair.exchange()

        let head = [HTTP2Header(":status", "200"), HTTP2Header("server", "test"), HTTP2Header("x-a", "1")]
        #expect(answered.clientHeaders.contains(Headers(stream, head, endStream: false)))
        #expect(answered.clientHeaders.contains(Headers(stream, [HTTP2Header("grpc-status", "0")], endStream: true)))
    }

    @Test func `says when a whole answer has left before the request ended`() throws {
        var pair = try SessionPair()
        let stream = try pair.client.sendRequest(.request, endStream: false)
        _ = try pair.exchange()

        try pair.server.sendResponse(.response, on: stream, endStream: true)
        let answered = try pair.exchange()

        #expect(answered.server.contains(.answeredEarly(stream)))
    }

    @Test func `sends an answer that is only headers`() throws {
        var pair = try SessionPair()

        let stream = try pair.client.sendRequest(.request, endStream: true)
        _ = try pair.exchange()
        try pair.server.sendResponse(.response, on: stream, endStream: true)
        let answered = try pair.exchange()

        #expect(answered.clientHeaders.contains(Headers(stream, .response, endStream: true)))
        #expect(answered.client.contains(.streamClosed(stream, .noError)))
    }

    @Test func `knows while the rest of a block of headers is to come`() throws {
        var pair = try SessionPair()
        _ = try pair.exchange()
        _ = try pair.client.sendRequest(.request, endStream: true)
        let bytes = try SessionPair.output(of: &pair.client)

        try pair.server.receive(Array(bytes.dropLast()))
        let (wasWithin, hadEvents) = (pair.server.isWithinHeaders, pair.server.hasEvents)
        try pair.server.receive(Array(bytes.suffix(1)))
        let (isWithin, hasEvents) = (pair.server.isWithinHeaders, pair.server.hasEvents)

        #expect(wasWithin && !hadEvents)
        #expect(!isWithin && hasEvents)
    }

    @Test func `knows that a block of headers that was refused is over when another frame has come`() throws {
        var pair = try SessionPair()
        _ = try pair.exchange()
        // One field, whose name has a capital letter (RFC 9113, section 8.2.1); and a WINDOW_UPDATE of the connection.
        let headers: [UInt8] = [0, 0, 5, 1, 5, 0, 0, 0, 1] + [0, 1, 0x41, 1, 0x62]
        let update: [UInt8] = [0, 0, 4, 8, 0, 0, 0, 0, 0] + [0, 0, 0, 1]
        var batch = HTTP2Batch()

        try pair.server.receive(headers)
        let wasWithin = pair.server.isWithinHeaders
        pair.server.exchange(&batch)
        try pair.server.receive(update)
        let isWithin = pair.server.isWithinHeaders

        #expect(batch.events.contains { if case .invalidFrame = $0 { true } else { false } })
        #expect(wasWithin && !isWithin)
    }

    @Test func `drops what waits on a stream that is reset, before the reset has left`() throws {
        var pair = try SessionPair()
        let stream = try pair.client.sendRequest(.request, endStream: true)
        _ = try pair.exchange()
        try pair.server.sendResponse(.response, on: stream, endStream: false)
        pair.server.send([UInt8](repeating: 1, count: 1_000_000), on: stream)
        _ = try pair.exchange()

        let before = pair.server.pendingBytes(on: stream)
        pair.server.reset(stream, .cancel)
        let after = pair.server.pendingBytes(on: stream)
        let learned = try pair.exchange()

        #expect(before > 0)
        #expect(after == 0)
        #expect(learned.client.contains(.streamClosed(stream, .cancel)))
        #expect(learned.clientBody.isEmpty)
    }

    @Test func `resets a stream whose answer is more than may be sent, so that nobody waits for it`() throws {
        let large = [HTTP2Header("x-large", String(repeating: "a", count: 100_000))]
        var pair = try SessionPair()
        let first = try pair.client.sendRequest(.request, endStream: true)
        let second = try pair.client.sendRequest(.request, endStream: true)
        _ = try pair.exchange()

        try pair.server.sendResponse(.response + large, on: first, endStream: false)
        try pair.server.sendResponse(.response, on: second, endStream: false)
        pair.server.send([1], on: second)
        pair.server.finish(second, trailers: large)
        let learned = try pair.exchange()

        #expect(learned.client.contains(.streamClosed(first, .internalError)))
        #expect(learned.client.contains(.streamClosed(second, .internalError)))
        #expect(learned.clientBody == [1])
    }

    @Test func `sends no more of a body than the peer has room for, and the rest when some was consumed`() throws {
        var serverSettings = HTTP2Settings()
        serverSettings.streamWindowBytes = 1_000
        var pair = try SessionPair(server: serverSettings)
        _ = try pair.exchange()

        let stream = try pair.client.sendRequest(.request, endStream: false)
        pair.client.send([UInt8](repeating: 7, count: 2_500), on: stream)
        let first = try pair.exchange()
        try pair.server.consume(1_000, on: stream)
        let second = try pair.exchange()
        try pair.server.consume(1_000, on: stream)
        let third = try pair.exchange()

        #expect(first.serverBody.count == 1_000)
        #expect(second.serverBody.count == 1_000)
        #expect(third.serverBody.count == 500)
    }

    @Test func `holds the connection's window apart from those of its streams`() throws {
        var serverSettings = HTTP2Settings()
        serverSettings.streamWindowBytes = 1 << 20
        serverSettings.connectionWindowBytes = 65_535
        var pair = try SessionPair(server: serverSettings)
        _ = try pair.exchange()

        for _ in 0..<2 {
            let stream = try pair.client.sendRequest(.request, endStream: false)
            pair.client.send([UInt8](repeating: 7, count: 60_000), on: stream)
        }
        let first = try pair.exchange()
        try pair.server.consumeConnection(65_535)
        let second = try pair.exchange()

        #expect(first.serverBody.count == 65_535)
        #expect(second.serverBody.count == 120_000 - 65_535)
    }

    @Test func `reports once that what waited on a stream has drained`() throws {
        var pair = try SessionPair()
        _ = try pair.exchange()

        let stream = try pair.client.sendRequest(.request, endStream: false)
        pair.client.send([UInt8](repeating: 7, count: 100_000), on: stream)
        pair.client.reportDrain(of: stream)
        let pending = pair.client.pendingBytes(on: stream)
        let learned = try pair.exchange()

        #expect(pending == 100_000)
        #expect(learned.client.count { $0 == .drained(stream) } == 1)
        #expect(pair.client.pendingBytes(on: stream) == 0)
    }

    @Test func `ends a stream on both sides when one resets it`() throws {
        var pair = try SessionPair()
        let stream = try pair.client.sendRequest(.request, endStream: false)
        _ = try pair.exchange()

        pair.client.reset(stream, .cancel)
        let learned = try pair.exchange()

        #expect(learned.server.contains(.streamClosed(stream, .cancel)))
        #expect(learned.client.contains(.streamClosed(stream, .cancel)))
    }

    @Test func `keeps requests beyond the peer's limit until a stream ends`() throws {
        var serverSettings = HTTP2Settings()
        serverSettings.maxConcurrentStreams = 1
        var pair = try SessionPair(server: serverSettings)
        _ = try pair.exchange()

        let first = try pair.client.sendRequest(.request, endStream: true)
        let second = try pair.client.sendRequest(.request, endStream: true)
        let before = try pair.exchange()
        try pair.server.sendResponse(.response, on: first, endStream: true)
        let after = try pair.exchange()

        #expect(!before.serverHeaders.contains(Headers(second, .request, endStream: true)))
        #expect(after.serverHeaders.contains(Headers(second, .request, endStream: true)))
    }

    @Test func `reports the end of a request that was reset before it could be sent`() throws {
        var serverSettings = HTTP2Settings()
        serverSettings.maxConcurrentStreams = 1
        var pair = try SessionPair(server: serverSettings)
        _ = try pair.exchange()
        let first = try pair.client.sendRequest(.request, endStream: false)
        let second = try pair.client.sendRequest(.request, endStream: false)
        _ = try pair.exchange()

        pair.client.reset(second, .cancel)
        pair.client.reset(first, .cancel)
        let learned = try pair.exchange()

        #expect(learned.client.contains { if case .streamClosed(second, _) = $0 { true } else { false } })
        #expect(!learned.server.contains { if case .headers(second, _, _, _) = $0 { true } else { false } })
    }

    @Test func `takes no streams above the last that it named, and refuses them at the client`() throws {
        var pair = try SessionPair()
        let first = try pair.client.sendRequest(.request, endStream: true)
        _ = try pair.exchange()

        let late = try pair.client.sendRequest(.request, endStream: true)
        let onItsWay = try SessionPair.output(of: &pair.client)
        try pair.server.sendGoAway(.noError, reason: "restart")
        let goAway = try pair.exchange()
        try pair.server.receive(onItsWay)
        try pair.server.sendResponse(.response, on: first, endStream: true)
        let learned = try pair.exchange()

        #expect(goAway.client.contains(.goAway(lastStreamID: first, .noError, reason: "restart")))
        #expect(goAway.client.contains(.streamClosed(late, .refusedStream)))
        #expect(learned.clientHeaders.contains(Headers(first, .response, endStream: true)))
        #expect(!learned.server.contains { if case .headers(late, _, _, _) = $0 { true } else { false } })
        let isFinished = pair.server.isFinished
        #expect(isFinished)
    }

    @Test func `brings the payload of a ping back`() throws {
        var pair = try SessionPair()

        try pair.client.ping(0x0102_0304_0506_0708)
        let learned = try pair.exchange()

        #expect(learned.client.contains(.pingAcknowledged(0x0102_0304_0506_0708)))
    }

    @Test func `understands its peer whatever pieces the bytes arrive in`() throws {
        var pair = try SessionPair()
        let stream = try pair.client.sendRequest(.request, endStream: false)
        pair.client.send([1, 2, 3], on: stream)
        pair.client.finish(stream)

        var batch = HTTP2Batch()
        var events: [HTTP2Event] = []
        var headers: [Headers] = []
        for byte in try SessionPair.output(of: &pair.client) {
            try pair.server.receive([byte])
            pair.server.exchange(&batch)
            events += batch.events
            headers += Headers.all(in: batch)
        }

        #expect(headers == [Headers(stream, .request, endStream: false)])
        #expect(events.contains(.endStream(stream)))
    }
}

@Suite struct `A session's windows and pings` {
    @Test func `tell a client how often it may ask for a sign of life`() throws {
        var settings = HTTP2Settings()
        settings.minPingInterval = .seconds(10)
        var pair = try SessionPair(server: settings)

        _ = try pair.exchange()

        #expect(pair.client.peerMinPingInterval == .seconds(10))
        #expect(pair.server.peerMinPingInterval == nil)
    }

    @Test func `report that the peer asks for a sign of life`() throws {
        var pair = try SessionPair()
        _ = try pair.exchange()

        try pair.client.ping(7)
        let learned = try pair.exchange()

        #expect(learned.server.contains(.pinged))
        #expect(learned.client.contains(.pingAcknowledged(7)))
    }

    @Test func `let a peer send more on a stream that is open already`() throws {
        var settings = HTTP2Settings()
        settings.streamWindowBytes = 1_000
        settings.connectionWindowBytes = 65_535
        var pair = try SessionPair(server: settings)
        _ = try pair.exchange()
        let stream = try pair.client.sendRequest(.request, endStream: false)
        pair.client.send([UInt8](repeating: 7, count: 200_000), on: stream)
        let before = try pair.exchange()

        try pair.server.widenWindows(stream: 100_000, connection: 150_000)
        let after = try pair.exchange()

        #expect(before.serverBody.count == 1_000)
        #expect(before.serverBody.count + after.serverBody.count == 100_000)
    }
}
