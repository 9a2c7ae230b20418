internal import CNghttp2

/// One end of an HTTP/2 connection without the connection: bytes that arrived go in, events come out, bytes to send
/// come out. It opens no socket, looks at no clock but nghttp2's own for its limit on resets, and never calls back.
///
/// A session belongs to one thread at a time ("a session object must not be accessed from several threads", nghttp2
/// manual); its owner confines it to an event loop.
@safe
package struct HTTP2Session: ~Copyable {
    let session: OpaquePointer
    let record: SessionRecord

    /// Makes a session whose settings are already waiting to be sent.
    package init(role: HTTP2Role, settings: HTTP2Settings = HTTP2Settings()) throws(HTTP2Error) {
        record = SessionRecord(role: role, settings: settings)
        guard let callbacks = unsafe SessionCallbacks.make() else { throw HTTP2Error(code: NGHTTP2_ERR_NOMEM.rawValue) }
        defer { unsafe nghttp2_session_callbacks_del(callbacks) }
        var options: OpaquePointer?
        guard unsafe nghttp2_option_new(&options) == 0 else { throw HTTP2Error(code: NGHTTP2_ERR_NOMEM.rawValue) }
        defer { unsafe nghttp2_option_del(options) }
        unsafe nghttp2_option_set_no_auto_window_update(options, 1)
        unsafe nghttp2_option_set_no_closed_streams(options, 1)
        unsafe nghttp2_option_set_max_outbound_ack(options, settings.maxPendingAcknowledgements)
        // Debian exports these two from 1.52 as part of its security updates.
        unsafe nghttp2_option_set_stream_reset_rate_limit(options, settings.resetBurst, settings.resetsPerSecond)
        unsafe nghttp2_option_set_max_continuations(options, settings.maxContinuations)

        // The record outlives the session: both are let go in deinit, the session first.
        let context = unsafe Unmanaged.passUnretained(record).toOpaque()
        var made: OpaquePointer?
        let code =
            switch role {
            case .server: unsafe nghttp2_session_server_new2(&made, callbacks, context, options)
            case .client: unsafe nghttp2_session_client_new2(&made, callbacks, context, options)
            }
        guard code == 0, let made = unsafe made else { throw HTTP2Error(code: code) }
        let announced = unsafe HTTP2Session.announce(settings, as: role, in: made)
        guard announced == 0 else {
            unsafe nghttp2_session_del(made)
            throw HTTP2Error(code: announced)
        }
        unsafe session = made
    }

    /// nghttp2 reports no closed stream here; whoever has streams open learns of the end from the connection.
    deinit {
        unsafe nghttp2_session_del(session)
    }

    private static func announce(_ settings: HTTP2Settings, as role: HTTP2Role, in session: OpaquePointer) -> Int32 {
        func entry(_ id: nghttp2_settings_id, _ value: Int) -> nghttp2_settings_entry {
            nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: UInt32(clamping: value))
        }
        var entries = [
            entry(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, Int(settings.streamWindowBytes)),
            entry(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, settings.maxHeaderListBytes),
            entry(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1),
            role == .server
                ? entry(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, Int(settings.maxConcurrentStreams))
                : entry(NGHTTP2_SETTINGS_ENABLE_PUSH, 0),
        ]
        if role == .server, let interval = settings.minPingInterval {
            let milliseconds = UInt32(clamping: Int(interval / .milliseconds(1)))
            entries.append(
                nghttp2_settings_entry(settings_id: Int32(HTTP2Settings.minPingIntervalID), value: milliseconds))
        }
        let none = UInt8(NGHTTP2_FLAG_NONE.rawValue)
        let code = unsafe entries.withUnsafeBufferPointer {
            unsafe nghttp2_submit_settings(session, none, $0.baseAddress, $0.count)
        }
        guard code == 0 else { return code }
        return unsafe nghttp2_session_set_local_window_size(session, none, 0, settings.connectionWindowBytes)
    }

    func check(_ code: Int32) throws(HTTP2Error) {
        if code != 0 { throw HTTP2Error(code: code) }
    }

    /// Takes bytes that arrived. An error means that the peer does not speak HTTP/2 or memory ran out; a peer that
    /// breaks a rule of HTTP/2 gets its answer as output, after which `isFinished` holds.
    package mutating func receive(_ bytes: RawSpan) throws(HTTP2Error) {
        let code = unsafe bytes.withUnsafeBytes { bytes in
            unsafe nghttp2_session_mem_recv(session, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
        }
        if code < 0 { throw HTTP2Error(code: Int32(code)) }
    }

    /// Hands out the events since the last exchange, and takes an old batch to be filled again.
    package mutating func exchange(_ batch: inout HTTP2Batch) {
        record.exchange(&batch)
    }

    /// Lends the session a batch to write the next events down in, so that it needs none of its own while nothing happens;
    /// what comes back is the one that it had.
    package mutating func lend(_ batch: inout HTTP2Batch) {
        record.lend(&batch)
    }

    /// Gives back the batch that was lent; `nil` while there are events or half a block of headers in it.
    package mutating func takeBack() -> HTTP2Batch? {
        record.takeBack()
    }

    package var hasEvents: Bool { !record.batch.events.isEmpty }

    /// Whether the last block of headers has begun and not come whole; of one that was refused, until another frame has come. Nothing may come
    /// between its frames (RFC 9113, section 4.3), so that of one that is still to come there are no events.
    package var isWithinHeaders: Bool { record.isWithinHeaders }

    /// The next bytes to send, at most one frame, valid inside `body`; `nil` when there is nothing to send now.
    package mutating func nextOutput<Result>(_ body: (RawSpan) -> Result) throws(HTTP2Error) -> Result? {
        var bytes: UnsafePointer<UInt8>?
        let count = unsafe nghttp2_session_mem_send(session, &bytes)
        if count < 0 { throw HTTP2Error(code: Int32(count)) }
        if count == 0 { return nil }
        return unsafe body(UnsafeRawBufferPointer(start: bytes, count: count).bytes)
    }

    /// Whether there is something to send now: frames that wait and that the peer's windows let through.
    package var hasOutput: Bool { unsafe nghttp2_session_want_write(session) != 0 }

    /// Whether the connection has nothing left to do and may be closed.
    package var isFinished: Bool {
        unsafe nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0
    }
}
