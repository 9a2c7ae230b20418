internal import Time

/// What a connection counts of itself, on its event loop: plain additions, a few a call.
struct ConnectionCounts {
    /// Calls, by the status that they were answered with.
    private(set) var calls = CallCounts()
    /// Streams, by how HTTP/2 saw them end.
    private(set) var streams = CallCounts()
    var messagesSent = MessageCount()
    var messagesReceived = MessageCount()
    /// The error code of the last GOAWAY that arrived.
    var goAwayError: UInt32?
    var keepalivesSent = 0
    // When the last call began is worked out when somebody asks: reading the clock costs more than all else here.
    private var lastDeadline: (deadline: Deadline, limit: Duration)?

    /// A call began that has this deadline, which is so far from its beginning.
    mutating func callStarted(_ deadline: Deadline, limit: Duration) {
        calls.started += 1
        streams.started += 1
        lastDeadline = (deadline, limit)
    }

    /// A call was sent. A client does not note when: nobody else would read the clock for it.
    mutating func callSent() {
        calls.started += 1
        streams.started += 1
    }

    /// A call that no server has begun goes elsewhere, and is counted there.
    mutating func callReturned() {
        calls.started -= 1
    }

    /// A call was refused before it began.
    mutating func callRefused() {
        calls.started += 1
        streams.started += 1
        calls.failed += 1
    }

    mutating func callEnded(_ succeeded: Bool) {
        if succeeded { calls.succeeded += 1 } else { calls.failed += 1 }
    }

    mutating func streamEnded(_ succeeded: Bool) {
        if succeeded { streams.succeeded += 1 } else { streams.failed += 1 }
    }

    private var lastStarted: Instant? {
        lastDeadline.map { Instant.now() - ($0.limit - $0.deadline.remaining) }
    }

    var callsNow: CallCounts {
        var calls = calls
        calls.lastStarted = lastStarted
        return calls
    }

    var streamsNow: CallCounts {
        var streams = streams
        streams.lastStarted = lastStarted
        return streams
    }
}
