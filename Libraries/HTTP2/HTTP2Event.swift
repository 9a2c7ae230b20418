/// A number that names one exchange within a connection; those of requests are odd.
package typealias HTTP2StreamID = Int32

/// What a session learned from the bytes it was given.
package enum HTTP2Event: Sendable, Hashable {
    /// A request, a response or trailers. With `isTruncated`, the fields took more than the limit and only those that
    /// fit are here.
    case headers(HTTP2StreamID, [HTTP2Header], endStream: Bool, isTruncated: Bool)
    /// A part of a body, as a range of the batch's `body`. It counts against the stream's window until it is consumed.
    case data(HTTP2StreamID, Range<Int>)
    /// The peer will send no more on the stream. It follows the last data; headers carry it themselves.
    case endStream(HTTP2StreamID)
    /// The whole answer has been handed out for sending, including the flag that ends the stream.
    case responseSent(HTTP2StreamID)
    /// What waited to be sent on the stream has shrunk to the low-water mark.
    case drained(HTTP2StreamID)
    /// The stream is gone, with the code of the reset that ended it or NO_ERROR.
    case streamClosed(HTTP2StreamID, HTTP2ErrorCode)
    /// The peer begins no more streams here, and looks at none above `lastStreamID`.
    case goAway(lastStreamID: HTTP2StreamID, HTTP2ErrorCode, reason: String)
    case pingAcknowledged(UInt64)
    case settings
    /// A frame broke a rule; nghttp2 has already chosen its answer. For the log.
    case invalidFrame(HTTP2StreamID, reason: String)
}

/// Events in the order in which they happened, and the bytes that their data refers to. A batch is handed back to the
/// session to be filled again, so that its memory is used again too.
package struct HTTP2Batch: Sendable {
    package var events: [HTTP2Event] = []
    package var body: [UInt8] = []

    package init() {}
}
