internal import CNghttp2

extension HTTP2Session {
    /// Asks the peer for a sign of life; `pingAcknowledged` brings the payload back.
    package mutating func ping(_ payload: UInt64) throws(HTTP2Error) {
        let bytes = payload.bigEndian
        try check(
            unsafe withUnsafeBytes(of: bytes) {
                unsafe nghttp2_submit_ping(
                    session, UInt8(NGHTTP2_FLAG_NONE.rawValue), $0.baseAddress?.assumingMemoryBound(to: UInt8.self)
                )
            }
        )
    }

    /// Tells clients to begin no further streams while those already under way are still served: the first of the two
    /// GOAWAY frames of a graceful end (RFC 9113, section 6.8).
    package mutating func sendShutdownNotice() throws(HTTP2Error) {
        try check(unsafe nghttp2_submit_shutdown_notice(session))
    }

    /// Announces that streams up to the last one seen are served and none beyond.
    package mutating func sendGoAway(_ code: HTTP2ErrorCode, reason: String = "") throws(HTTP2Error) {
        let last = unsafe nghttp2_session_get_last_proc_stream_id(session)
        let text = Array(reason.utf8.prefix(256))
        try check(
            unsafe text.withUnsafeBufferPointer {
                unsafe nghttp2_submit_goaway(
                    session, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, code.rawValue, $0.baseAddress, $0.count
                )
            }
        )
    }

    /// Lets the peer send more before it hears from here: so much on each stream, open or to come, and so much on the
    /// connection. Neither becomes smaller.
    package mutating func widenWindows(stream: Int32, connection: Int32) throws(HTTP2Error) {
        let none = UInt8(NGHTTP2_FLAG_NONE.rawValue)
        var entry = nghttp2_settings_entry(
            settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue), value: UInt32(clamping: stream))
        try check(unsafe nghttp2_submit_settings(session, none, &entry, 1))
        try check(unsafe nghttp2_session_set_local_window_size(session, none, 0, connection))
    }

    /// HEADERS and DATA frames that were handed out for sending, counted round a circle.
    package var messageFramesSent: UInt64 { record.messageFramesSent }

    /// How often the server lets this client ask for a sign of life, if it has said so.
    package var peerMinPingInterval: Duration? { record.peerMinPingInterval }

    /// Streams that the peer lets this session have open.
    package var peerMaxConcurrentStreams: UInt32 {
        unsafe nghttp2_session_get_remote_settings(session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
    }

    /// Bytes that the peer may still send on the connection.
    package var receiveWindow: Int {
        unsafe Int(nghttp2_session_get_local_window_size(session))
    }

    /// Bytes that may still be sent on the connection.
    package var sendWindow: Int {
        unsafe Int(nghttp2_session_get_remote_window_size(session))
    }

    /// The last request that was handed out for sending; later ones never left.
    package var lastRequestSent: HTTP2StreamID { record.lastRequestSent }
}
