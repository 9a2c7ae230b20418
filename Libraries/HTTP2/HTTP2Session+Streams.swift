internal import CNghttp2

extension HTTP2Session {
    /// Begins a request whose fields are the fixed ones, then the others. While the peer allows no further stream, it
    /// waits here.
    package mutating func sendRequest(
        _ headers: [HTTP2Header] = [],
        after fixed: HTTP2FixedFields? = nil,
        endStream: Bool
    ) throws(HTTP2Error) -> HTTP2StreamID {
        let body = endStream ? nil : record.makeBody()
        let stream = unsafe record.arena.withFields(fixed, headers) { fields, count in
            unsafe withProvider(body) { unsafe nghttp2_submit_request(session, nil, fields, count, $0, nil) }
        }
        if stream < 0 { throw HTTP2Error(code: stream) }
        record.bodies[stream] = body
        return stream
    }

    /// Answers a request with headers, the fixed ones first; with `endStream` they are the whole answer.
    package mutating func sendResponse(
        _ headers: [HTTP2Header] = [],
        after fixed: HTTP2FixedFields? = nil,
        on stream: HTTP2StreamID,
        endStream: Bool
    ) throws(HTTP2Error) {
        let body = endStream ? nil : record.makeBody()
        let code = unsafe record.arena.withFields(fixed, headers) { fields, count in
            unsafe withProvider(body) { unsafe nghttp2_submit_response(session, stream, fields, count, $0) }
        }
        try check(code)
        record.bodies[stream] = body
    }

    /// Adds bytes to a body that has been begun; they are dropped when the stream is gone.
    package mutating func send(_ bytes: [UInt8], on stream: HTTP2StreamID) {
        guard let body = record.bodies[stream], !body.isFinished else { return }
        body.append(bytes)
        resume(body, stream)
    }

    /// Ends a body that has been begun, with trailers if there are any, the fixed ones first.
    package mutating func finish(
        _ stream: HTTP2StreamID,
        trailers: [HTTP2Header] = [],
        after fixed: HTTP2FixedFields? = nil
    ) {
        guard let body = record.bodies[stream], !body.isFinished else { return }
        body.finish(fixed, trailers)
        resume(body, stream)
    }

    /// Ends a stream at once; what waits to be sent on it is dropped, also where the reset itself has to wait.
    package mutating func reset(_ stream: HTTP2StreamID, _ code: HTTP2ErrorCode) {
        record.bodies[stream]?.drop()
        // It fails only for want of memory or for a stream that never was; neither leaves anything to undo.
        _ = unsafe nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream, code.rawValue)
    }

    /// Bytes that wait to be sent on the stream.
    package func pendingBytes(on stream: HTTP2StreamID) -> Int {
        record.bodies[stream]?.byteCount ?? 0
    }

    /// Asks for one `drained` event when the stream has at most `lowWaterBytes` left to send.
    package func reportDrain(of stream: HTTP2StreamID) {
        record.bodies[stream]?.reportsDrain = true
    }

    /// Gives the peer back room on the stream for bytes that have been read.
    package mutating func consume(_ count: Int, on stream: HTTP2StreamID) throws(HTTP2Error) {
        try check(unsafe nghttp2_session_consume_stream(session, stream, count))
    }

    /// Gives the peer back room on the stream and on the connection.
    package mutating func consumeEverywhere(_ count: Int, on stream: HTTP2StreamID) throws(HTTP2Error) {
        try check(unsafe nghttp2_session_consume(session, stream, count))
    }

    /// Gives the peer back room on the connection.
    package mutating func consumeConnection(_ count: Int) throws(HTTP2Error) {
        try check(unsafe nghttp2_session_consume_connection(session, count))
    }

    private func resume(_ body: OutboundBody, _ stream: HTTP2StreamID) {
        guard body.isDeferred else { return }
        body.isDeferred = false
        // An error says that the stream has no body waiting any more, so there is nothing to resume.
        _ = unsafe nghttp2_session_resume_data(session, stream)
    }

    private func withProvider(_ body: OutboundBody?, _ submit: (UnsafePointer<nghttp2_data_provider>?) -> Int32) -> Int32 {
        guard let body else { return submit(nil) }
        // The record keeps the body until nghttp2 has closed its stream.
        var provider = unsafe nghttp2_data_provider(
            source: nghttp2_data_source(ptr: Unmanaged.passUnretained(body).toOpaque()),
            read_callback: { unsafe SessionCallbacks.readBody($0, $1, $2, $3, $4, $5, $6) }
        )
        return unsafe withUnsafePointer(to: &provider) { unsafe submit($0) }
    }
}
