internal import HTTP2
internal import Logging

/// What the connection and its calls do to the session.
extension ServerConnection: RoomGiver {
    /// Changes the session. What it refuses means that it can serve nobody any more, so the connection is closed.
    func changeSession(_ body: (inout HTTP2Session) throws(HTTP2Error) -> Void) {
        do throws(HTTP2Error) {
            try http.change(body)
        } catch {
            logger.error("session failed", metadata: ["reason": "\(error.reason)", "peer": "\(peer)"])
            http.close(because: error.description)
        }
    }

    func measure(_ body: (inout WindowTuning) throws(HTTP2Error) -> Void) {
        do throws(HTTP2Error) { try body(&tuning) } catch { http.close(because: error.description) }
    }

    func returnRoom(_ count: Int, on stream: HTTP2StreamID) {
        changeSession { session throws(HTTP2Error) in try session.consume(count, on: stream) }
    }

    /// Lets the caller send more on the stream and on the connection.
    func returnRoomEverywhere(_ count: Int, on stream: HTTP2StreamID) {
        changeSession { session throws(HTTP2Error) in try session.consumeEverywhere(count, on: stream) }
    }

    /// Lets the caller send more on the connection; what the stream holds is still unread.
    func returnRoomOnConnection(_ count: Int) {
        changeSession { session throws(HTTP2Error) in try session.consumeConnection(count) }
    }

    /// Whether so much waits to be sent on the stream that its writers should wait; if so, `drained` will come.
    func holdBackWriters(of stream: HTTP2StreamID) -> Bool {
        guard http.session.pendingBytes(on: stream) > WriteGate.maxPendingBytes else { return false }
        http.session.reportDrain(of: stream)
        return true
    }
}
