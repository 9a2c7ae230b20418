/// A number that names one exchange within a connection; those of requests are odd.
package typealias HTTP2StreamID = Int32

/// What a session learned from the bytes it was given.
package enum HTTP2Event: Sendable, Hashable {
    /// A request, a response or trailers, as a range of the batch's fields. With `isTruncated`, the fields took more
    /// than the limit and only those that fit are here.
    case headers(HTTP2StreamID, Range<Int>, endStream: Bool, isTruncated: Bool)
    /// A part of a body, as a range of the batch's `body`. It counts against the stream's window until it is consumed.
    case data(HTTP2StreamID, Range<Int>)
    /// The peer will send no more on the stream. It follows the last data; headers carry it themselves.
    case endStream(HTTP2StreamID)
    /// A server's whole answer has been handed out for sending while the peer has not ended its request.
    case answeredEarly(HTTP2StreamID)
    /// What waited to be sent on the stream has shrunk to the low-water mark.
    case drained(HTTP2StreamID)
    /// The stream is gone, with the code of the reset that ended it or NO_ERROR.
    case streamClosed(HTTP2StreamID, HTTP2ErrorCode)
    /// The peer begins no more streams here, and looks at none above `lastStreamID`.
    case goAway(lastStreamID: HTTP2StreamID, HTTP2ErrorCode, reason: String)
    case pingAcknowledged(UInt64)
    /// The peer asks for a sign of life; the answer is already on its way.
    case pinged
    case settings
    /// A frame broke a rule; nghttp2 has already chosen its answer. For the log.
    case invalidFrame(HTTP2StreamID, reason: String)
}
