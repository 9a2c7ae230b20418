internal import HTTP2
internal import Logging
internal import NIOCore

/// How a connection ends: it is drained, sent away, or closed.
extension ServerConnection {
    /// Lets the calls under way end and takes no new ones. A client learns it from the first GOAWAY; the second, sent
    /// once a ping has come back, names the last call that was taken.
    func drain() {
        guard !isClosed, !isDraining else { return }
        isDraining = true
        changeSession { session throws(HTTP2Error) in
            try session.sendShutdownNotice()
            try session.ping(ConnectionPing.drain)
        }
    }

    /// Tells a client that asks for too much why it loses its connection; for pings with gRPC's own word (gRFC A8).
    func sendAway(_ reason: String) {
        guard !isClosed, !isSentAway else { return }
        isSentAway = true
        logger.notice("client sent away", metadata: ["peer": "\(peer)", "reason": "\(reason)"])
        changeSession { session throws(HTTP2Error) in try session.sendGoAway(.enhanceYourCalm, reason: reason) }
        closeNow(because: "The client asked for too much: \(reason).")
    }

    /// Ends every call with UNAVAILABLE and closes the connection.
    func closeNow(because reason: String = "The server is shutting down.") {
        guard !isClosed else { return }
        for (_, call) in calls.elements { call.end(.failure(RPCError(.unavailable, reason))) }
        http.flush()
        http.closeWhenSent(because: reason)
        // A client that takes nothing must not keep the server.
        executor.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) {
            self.http.close(because: reason)
        }
    }

    /// Has a client whose certificate is no longer trusted gone within a second of the change, the time to notice it
    /// included: it is told to begin no further calls, whether it listens or not, and what it still waits for is ended.
    func checkTrust() {
        guard hasBegun, !isClosed, !isRevoked, certificate?.isOutdated == true else { return }
        isRevoked = true
        logger.notice("a certificate is no longer trusted", metadata: ["peer": "\(peer)"])
        drain()
        let eventLoop = executor.eventLoop.assumeIsolated()
        eventLoop.scheduleTask(in: .milliseconds(200)) {
            guard !self.isClosed else { return }
            self.changeSession { session throws(HTTP2Error) in try session.sendGoAway(.noError) }
        }
        eventLoop.scheduleTask(in: .milliseconds(600)) { self.closeNow(because: "The client is no longer trusted.") }
    }
}
