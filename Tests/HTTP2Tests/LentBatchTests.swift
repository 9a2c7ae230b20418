import HTTP2
import Testing

@Suite struct `A batch that is lent to a session` {
    @Test func `comes back when nothing stands in it`() throws {
        var pair = try SessionPair()
        _ = try pair.exchange()
        var batch = HTTP2Batch()

        pair.server.lend(&batch)

        #expect(pair.server.takeBack()?.events.isEmpty == true)
    }

    @Test func `stays while there are events, and comes back once they were handed out`() throws {
        var pair = try SessionPair()
        _ = try pair.exchange()
        var batch = HTTP2Batch()
        try pair.client.ping(1)
        let ping = try SessionPair.output(of: &pair.client)

        pair.server.lend(&batch)
        try pair.server.receive(ping)

        #expect(pair.server.takeBack() == nil)
        pair.server.exchange(&batch)
        #expect(batch.events == [.pinged])
        #expect(pair.server.takeBack() != nil)
    }

    @Test func `stays while half a block of headers has arrived, whatever is lent in between`() throws {
        var pair = try SessionPair()
        _ = try pair.exchange()
        let stream = try pair.client.sendRequest(.request, endStream: true)
        let bytes = try SessionPair.output(of: &pair.client)
        var batch = HTTP2Batch()

        pair.server.lend(&batch)
        try pair.server.receive(Array(bytes[..<(bytes.count - 5)]))
        #expect(pair.server.takeBack() == nil)
        var other = HTTP2Batch()
        pair.server.lend(&other)
        try pair.server.receive(Array(bytes[(bytes.count - 5)...]))
        pair.server.exchange(&batch)

        #expect(Headers.all(in: batch) == [Headers(stream, .request, endStream: true)])
        #expect(pair.server.takeBack() != nil)
    }
}
