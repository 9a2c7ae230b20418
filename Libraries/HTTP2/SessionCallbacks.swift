internal import CNghttp2

/// The functions that nghttp2 calls. Each gets the session's record as its one opaque context.
@safe
enum SessionCallbacks {
    static func make() -> OpaquePointer? {
        var callbacks: OpaquePointer?
        guard unsafe nghttp2_session_callbacks_new(&callbacks) == 0, let callbacks = unsafe callbacks else { return nil }
        unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, _, context in
            unsafe SessionCallbacks.withRecord(context) { $0.beginHeaders() }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _, _, name, nameCount, value, valueCount, _, context in
            unsafe SessionCallbacks.withRecord(context) { record in
                unsafe record.addHeader(
                    name: UnsafeRawBufferPointer(start: name, count: nameCount),
                    value: UnsafeRawBufferPointer(start: value, count: valueCount)
                )
            }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
            _, _, stream, bytes, count, context in
            unsafe SessionCallbacks.withRecord(context) { unsafe $0.addData(stream, UnsafeRawBufferPointer(start: bytes, count: count)) }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, context in
            if let frame = unsafe frame { unsafe SessionCallbacks.withRecord(context) { unsafe SessionCallbacks.received(frame, $0) } }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { session, frame, context in
            if let frame = unsafe frame { unsafe SessionCallbacks.withRecord(context) { unsafe SessionCallbacks.sent(session, frame, $0) } }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks) { session, frame, code, context in
            if let frame = unsafe frame { unsafe SessionCallbacks.withRecord(context) { unsafe SessionCallbacks.notSent(session, frame, code, $0) } }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, stream, code, context in
            unsafe SessionCallbacks.withRecord(context) { $0.closeStream(stream, code) }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks) {
            _, frame, code, context in
            if let frame = unsafe frame {
                let reason = unsafe String(cString: nghttp2_strerror(code))
                unsafe SessionCallbacks.withRecord(context) { unsafe $0.batch.events.append(.invalidFrame(frame.pointee.hd.stream_id, reason: reason)) }
            }
            return 0
        }
        return unsafe callbacks
    }

    /// The session keeps the record for as long as nghttp2 can call.
    @inline(__always)
    private static func withRecord<Result>(_ context: UnsafeMutableRawPointer?, _ body: (SessionRecord) -> Result) -> Result {
        guard let context = unsafe context else { preconditionFailure("nghttp2 lost the context it was given") }
        return unsafe Unmanaged<SessionRecord>.fromOpaque(context)._withUnsafeGuaranteedRef(body)
    }

    private static func received(_ frame: UnsafePointer<nghttp2_frame>, _ record: SessionRecord) {
        let header = unsafe frame.pointee.hd
        let endStream = header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
        if UInt32(header.type) != NGHTTP2_HEADERS.rawValue { record.leaveHeaders() }
        switch UInt32(header.type) {
        case NGHTTP2_HEADERS.rawValue:
            record.endHeaders(header.stream_id, endStream: endStream)
        case NGHTTP2_DATA.rawValue:
            if endStream { record.batch.events.append(.endStream(header.stream_id)) }
        case NGHTTP2_SETTINGS.rawValue:
            guard header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) == 0 else { return }
            unsafe receivedSettings(frame.pointee.settings, record)
            record.batch.events.append(.settings)
        case NGHTTP2_PING.rawValue:
            if header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0 {
                let payload = unsafe withUnsafeBytes(of: frame.pointee.ping.opaque_data) {
                    unsafe $0.loadUnaligned(as: UInt64.self)
                }
                record.batch.events.append(.pingAcknowledged(UInt64(bigEndian: payload)))
            } else {
                record.batch.events.append(.pinged)
            }
        case NGHTTP2_GOAWAY.rawValue:
            let goAway = unsafe frame.pointee.goaway
            let reason = unsafe String(
                decoding: UnsafeRawBufferPointer(start: goAway.opaque_data, count: min(goAway.opaque_data_len, 256)),
                as: UTF8.self
            )
            record.batch.events.append(
                unsafe .goAway(
                    lastStreamID: goAway.last_stream_id,
                    HTTP2ErrorCode(rawValue: goAway.error_code),
                    reason: reason
                )
            )
        default:
            // PRIORITY, RST_STREAM and WINDOW_UPDATE change nghttp2's state alone; a reset shows as a closed stream.
            break
        }
    }

    private static func receivedSettings(_ settings: nghttp2_settings, _ record: SessionRecord) {
        for unsafe entry in unsafe UnsafeBufferPointer(start: settings.iv, count: settings.niv)
        where entry.settings_id == Int32(HTTP2Settings.minPingIntervalID) {
            record.peerMinPingInterval = .milliseconds(Int64(entry.value))
        }
    }

    private static func sent(_ session: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>, _ record: SessionRecord) {
        let header = unsafe frame.pointee.hd
        if record.role == .client {
            // Requests leave in the order of their numbers.
            if UInt32(header.type) == NGHTTP2_HEADERS.rawValue { record.lastRequestSent = header.stream_id }
            return
        }
        switch UInt32(header.type) {
        case NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue:
            record.messageFramesSent &+= 1
            guard header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0 else { return }
            guard unsafe nghttp2_session_get_stream_remote_close(session, header.stream_id) == 0 else { return }
            record.batch.events.append(.answeredEarly(header.stream_id))
        default:
            break
        }
    }

    /// A request that never left takes its stream with it, for which nghttp2 reports no close, or one that says less than
    /// the reason here; an answer that never left takes its body.
    private static func notSent(
        _ session: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>, _ code: Int32, _ record: SessionRecord
    ) {
        let header = unsafe frame.pointee.hd
        guard UInt32(header.type) == NGHTTP2_HEADERS.rawValue else { return }
        guard record.role == .client else {
            record.removeBody(of: header.stream_id)
            // Of fields that are more than nghttp2 sends (64 KiB) the peer hears nothing, and must not wait for them. Other answers
            // that are not sent have lost their streams.
            if code == NGHTTP2_ERR_FRAME_SIZE_ERROR.rawValue {
                let none = UInt8(NGHTTP2_FLAG_NONE.rawValue)
                // It fails only for want of memory; then the peer waits after all.
                _ = unsafe nghttp2_submit_rst_stream(session, none, header.stream_id, NGHTTP2_INTERNAL_ERROR.rawValue)
            }
            return
        }
        guard unsafe frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST else { return }
        let code = code == NGHTTP2_ERR_START_STREAM_NOT_ALLOWED.rawValue ? NGHTTP2_REFUSED_STREAM : NGHTTP2_CANCEL
        record.closeStream(header.stream_id, code.rawValue)
        record.lastRequestNotSent = header.stream_id
    }

    /// Fills one DATA frame from what waits on its stream.
    static func readBody(
        _ session: OpaquePointer?,
        _ stream: Int32,
        _ place: UnsafeMutablePointer<UInt8>?,
        _ capacity: Int,
        _ flags: UnsafeMutablePointer<UInt32>?,
        _ source: UnsafeMutablePointer<nghttp2_data_source>?,
        _ context: UnsafeMutableRawPointer?
    ) -> Int {
        guard let pointer = unsafe source?.pointee.ptr, let flags = unsafe flags else {
            return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
        }
        let body = unsafe Unmanaged<OutboundBody>.fromOpaque(pointer).takeUnretainedValue()
        return unsafe SessionCallbacks.withRecord(context) { record in
            unsafe fill(place, capacity, from: body, flags, session, stream, record)
        }
    }

    private static func fill(
        _ place: UnsafeMutablePointer<UInt8>?,
        _ capacity: Int,
        from body: OutboundBody,
        _ flags: UnsafeMutablePointer<UInt32>,
        _ session: OpaquePointer?,
        _ stream: Int32,
        _ record: SessionRecord
    ) -> Int {
        let count = unsafe body.move(into: UnsafeMutableRawBufferPointer(start: place, count: capacity))
        if body.reportsDrain, body.byteCount <= record.lowWaterBytes {
            body.reportsDrain = false
            record.batch.events.append(.drained(stream))
        }
        if body.byteCount == 0, body.isFinished {
            unsafe flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
            if let (fixed, trailers) = body.takeTrailers() {
                unsafe flags.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
                let code = unsafe record.arena.withFields(fixed, trailers) { fields, count in
                    unsafe nghttp2_submit_trailer(session, stream, fields, count)
                }
                if code != 0 { return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue) }
            }
            return count
        }
        if count == 0 {
            body.isDeferred = true
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        return count
    }
}
