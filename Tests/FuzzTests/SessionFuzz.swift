import HTTP2
@testable import RPC

/// An HTTP/2 session in either role, whose peer does anything. What its events say is fed through gRPC's rules, and
/// answered or asked as a server or a client would.
final class SessionFuzz {
    private static let windowBytes = 4_000
    private static let methods = MethodTable([EchoService(HandlerCounts())], interceptors: [])

    private var session: HTTP2Session
    private let role: HTTP2Role
    private let pieceBytes: Int
    private var batch = HTTP2Batch()
    private var streams: [HTTP2StreamID: Exchange] = [:]
    private var closed: Set<HTTP2StreamID> = []
    private var unconsumed = 0
    private var userAgent = RepeatedText()
    private var accepted = AcceptedEncodings()

    private struct Exchange {
        var reader = MessageFrameReader(maxMessageBytes: 1_000)
        var answer = ServerStream()
        var call = ClientStream(maxTransparentRetries: 1)
        var isBroken = false
        var unconsumed = 0
    }

    static func run(_ bytes: [UInt8]) throws {
        var input = FuzzInput(bytes)
        let mode = input.byte()
        let fuzz = try SessionFuzz(role: mode & 1 == 0 ? .server : .client, pieceBytes: mode & 2 == 0 ? .max : 1 + Int(mode >> 4))
        if mode & 4 != 0 {
            try fuzz.receive(input.remaining())
        } else {
            try fuzz.follow(PeerScript(input))
        }
    }

    private init(role: HTTP2Role, pieceBytes: Int) throws {
        var settings = HTTP2Settings()
        settings.streamWindowBytes = Int32(SessionFuzz.windowBytes)
        settings.connectionWindowBytes = 65_535
        settings.maxHeaderListBytes = 1_000
        settings.maxConcurrentStreams = 20
        self.role = role
        self.pieceBytes = pieceBytes
        session = try HTTP2Session(role: role, settings: settings)
    }

    private func follow(_ script: PeerScript) throws {
        let settings = Frame.bytes(4, flags: 0, stream: 0, [])
        if role == .client { try ask() }
        guard try receive((role == .server ? PeerScript.clientPreface : []) + settings) else { return }
        var script = script
        while let step = script.next() {
            switch step {
            case .bytes(let bytes):
                guard try receive(bytes) else { return }
            case .local(let action, let stream, let detail):
                try act(action, stream, detail)
                try send()
            }
        }
    }

    /// Whether the session goes on.
    @discardableResult
    private func receive(_ bytes: [UInt8]) throws -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(pieceBytes))
            rest = rest.dropFirst(pieceBytes)
            do { unsafe try session.receive(piece.span.bytes) } catch {
                try Finding.unless(!error.reason.isEmpty, "an error without a reason")
                return false
            }
            try send()
            if session.isFinished { return false }
        }
        return true
    }

    private func send() throws {
        repeat {
            session.exchange(&batch)
            for event in batch.events { try understand(event, batch) }
            var isMore = true
            while isMore {
                do { isMore = try session.nextOutput { $0.byteCount } != nil } catch { return }
            }
        } while session.hasEvents
    }

    private func understand(_ event: HTTP2Event, _ batch: HTTP2Batch) throws {
        switch event {
        case .headers(let stream, let fields, let endStream, let isTruncated):
            try Finding.unless(!closed.contains(stream), "headers on stream \(stream), which is closed")
            try Finding.unless(fields.upperBound <= batch.fieldCount, "fields outside of the batch")
            var size = 0
            batch.forEachField(in: fields) { size += $0.byteCount + $1.byteCount + 32 }
            try Finding.unless(size <= 1_000, "\(size) bytes of header fields where 1000 are the limit")
            if role == .server {
                if streams[stream] == nil { begin(stream, fields, batch, isTruncated: isTruncated) }
            } else if let isFirst = streams[stream]?.call.expectsFirstHeaders {
                let head =
                    isFirst
                    ? ResponseHead(first: fields, of: batch, endStream: endStream) : ResponseHead(trailers: fields, of: batch)
                if case .begun = head { streams[stream]?.call.begun() }
                if case .ended = head, streams[stream]?.call.end() == true, !endStream { session.reset(stream, .cancel) }
            }
            if endStream { end(stream) }
        case .data(let stream, let range):
            try Finding.unless(!closed.contains(stream), "data on stream \(stream), which is closed")
            try Finding.unless(range.lowerBound >= 0 && range.upperBound <= batch.body.count, "data outside of the body")
            try Finding.unless(streams[stream] != nil, "data on stream \(stream) before its headers")
            unconsumed += range.count
            streams[stream]?.unconsumed += range.count
            let waiting = streams[stream]?.unconsumed ?? 0
            try Finding.unless(waiting <= Self.windowBytes, "\(waiting) bytes on a stream whose window is smaller")
            try Finding.unless(unconsumed <= 65_535, "\(unconsumed) bytes on a connection whose window is smaller")
            try read(batch.body[range], stream)
        case .endStream(let stream):
            try Finding.unless(!closed.contains(stream), "an end on stream \(stream), which is closed")
            end(stream)
        case .streamClosed(let stream, let code):
            try Finding.unless(closed.insert(stream).inserted, "stream \(stream) closed twice")
            try Finding.unless(session.pendingBytes(on: stream) == 0, "a closed stream has bytes to send")
            if streams[stream]?.call.isEnded == false { _ = ResetMapping.error(code) }
            if let left = streams.removeValue(forKey: stream)?.unconsumed { try consumeConnection(left) }
        case .answeredEarly(let stream):
            session.reset(stream, .noError)
        case .drained, .goAway, .pingAcknowledged, .pinged, .settings, .invalidFrame:
            break
        }
    }

    private func begin(_ stream: HTTP2StreamID, _ fields: Range<Int>, _ batch: HTTP2Batch, isTruncated: Bool) {
        streams[stream] = Exchange()
        do {
            _ = try RequestHead(
                fields, of: batch, isTruncated: isTruncated, methods: SessionFuzz.methods, userAgent: &userAgent, accepted: &accepted)
        } catch {
            // The stream may have been reset by its peer already.
            try? session.sendResponse([HTTP2Header(":status", "415")], on: stream, endStream: true)
            _ = streams[stream]?.answer.end()
        }
    }

    private func read(_ bytes: ArraySlice<UInt8>, _ stream: HTTP2StreamID) throws {
        guard streams[stream]?.isBroken == false else { return }
        var messages: [[UInt8]] = []
        do {
            try unsafe streams[stream]?.reader.read(bytes.span.bytes) { messages.append($0.bytes) }
        } catch {
            streams[stream]?.isBroken = true
            if role == .client { session.reset(stream, .cancel) } else { answer(stream, with: .failure(RPCError(error))) }
        }
        for message in messages {
            try Finding.unless(message.count <= 1_000, "a message of \(message.count) bytes where 1000 are the limit")
            if role == .server { echo(message, on: stream) }
        }
    }

    private func echo(_ message: [UInt8], on stream: HTTP2StreamID) {
        switch streams[stream]?.answer.send() {
        case .headersFirst: try? session.sendResponse([HTTP2Header(":status", "200")], on: stream, endStream: false)
        case .messageAlone: break
        case .nothing, nil: return
        }
        if let frame = try? MessageFrame.encode(RawMessage(message), limit: .max) { session.send(frame, on: stream) }
    }

    private func answer(_ stream: HTTP2StreamID, with result: Result<Void, RPCError>) {
        let trailers: [HTTP2Header] =
            switch result {
            case .success: [HTTP2Header("grpc-status", "0")]
            case .failure(let error): StatusTrailers.failure(error, [:])
            }
        switch streams[stream]?.answer.end() {
        case .trailersOnly: try? session.sendResponse([HTTP2Header(":status", "200")] + trailers, on: stream, endStream: true)
        case .trailers: session.finish(stream, trailers: trailers)
        case .nothing, nil: break
        }
    }

    private func end(_ stream: HTTP2StreamID) {
        guard role == .server else {
            _ = streams[stream]?.call.end()
            return
        }
        do {
            try streams[stream]?.reader.finish()
            answer(stream, with: .success(()))
        } catch {
            answer(stream, with: .failure(RPCError(.internalError, "cut short")))
        }
    }

    private func act(_ action: UInt8, _ stream: HTTP2StreamID, _ detail: UInt8) throws {
        switch action {
        case 22: if role == .client, streams.count < 50 { try ask() }
        case 23: session.reset(stream, HTTP2ErrorCode(rawValue: UInt32(detail)))
        case 24, 25:
            guard let waiting = streams[stream]?.unconsumed, waiting > 0 else { return }
            streams[stream]?.unconsumed = 0
            try? session.consume(waiting, on: stream)
            try consumeConnection(waiting)
        case 26: session.send([UInt8](repeating: detail, count: 100 * Int(detail)), on: stream)
        case 27: session.finish(stream, trailers: [HTTP2Header("grpc-status", "0")])
        case 28: session.reportDrain(of: stream)
        case 29: try? session.ping(UInt64(detail))
        case 30: try? session.sendShutdownNotice()
        default: if detail > 250 { try? session.sendGoAway(.noError, reason: "enough") } else { answer(stream, with: .success(())) }
        }
    }

    private func ask() throws {
        let headers = [
            HTTP2Header(":method", "POST"), HTTP2Header(":scheme", "http"), HTTP2Header(":path", "/fuzz.Echo/Unary"),
            HTTP2Header(":authority", "a"), HTTP2Header("te", "trailers"),
        ]
        guard let stream = try? session.sendRequest(headers, endStream: false) else { return }
        streams[stream] = Exchange()
        streams[stream]?.call.sent()
        session.send([0, 0, 0, 0, 1, 7], on: stream)
        if stream % 4 == 1 { session.finish(stream) }
    }

    private func consumeConnection(_ count: Int) throws {
        unconsumed -= count
        try? session.consumeConnection(count)
    }
}
