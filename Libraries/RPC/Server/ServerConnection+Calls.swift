internal import HTTP2
internal import Logging
internal import Time

/// How calls begin, become late, and end.
extension ServerConnection {
    func begin(
        _ stream: HTTP2StreamID,
        _ fields: Range<Int>,
        of batch: HTTP2Batch,
        endStream: Bool,
        isTruncated: Bool
    ) {
        // Handlers that do not heed the end of their streams keep their places, so that streams which are begun and reset
        // without end cannot make handlers without end (CVE-2023-44487; grpc-go's GHSA-m425-mq94-257g).
        guard calls.count + orphanedHandlers < configuration.maxConcurrentStreams else {
            counts.callRefused()
            methods.count(.status(.noPlaceForCall), from: peer, trace: TraceContext(ofRefused: fields, of: batch))
            changeSession { $0.reset(stream, .refusedStream) }
            return
        }
        age?.callBegan()
        let head: RequestHead
        do throws(RequestHead.Refusal) {
            head = try RequestHead(fields, of: batch, isTruncated: isTruncated, methods: methods, userAgent: &userAgent,
                accepted: &accepted)
        } catch {
            methods.count(error, from: peer, trace: TraceContext(ofRefused: fields, of: batch))
            refuse(stream, error)
            return
        }
        let descriptor = head.method.descriptor
        let limit = descriptor.policy.timeout.limit
        let now = ContinuousClock.now
        let timeout = head.timeout.map { min($0, limit) } ?? limit
        let deadline = Deadline.after(timeout, from: now)
        counts.callStarted(deadline, limit: timeout)
        let context = RPCContext(
            method: descriptor, metadata: head.metadata, deadline: deadline, peer: peer,
            peerIdentity: certificate?.identity)
        let call = ServerCall(
            stream: stream, method: head.method, context: context, metadataBytes: head.metadataBytes,
            compression: head.compression, began: now, connection: self)
        calls[stream] = call
        watch(descriptor.kind.hasSingleRequest ? min(deadline, requestIsDue(of: call)) : deadline)
        call.begin()
        if endStream { call.receivedEnd() }
    }

    private func refuse(_ stream: HTTP2StreamID, _ refusal: RequestHead.Refusal) {
        counts.callRefused()
        var headers: [HTTP2Header]
        switch refusal {
        case .http(let status):
            headers = [HTTP2Header(":status", String(status))]
        case .status(let error):
            headers = [HTTP2Header(":status", "200"), HTTP2Header("content-type", "application/grpc")]
            headers += StatusTrailers.failure(StatusTrailers.fitting(error), [:])
        }
        changeSession { session throws(HTTP2Error) in
            try session.sendResponse(headers, on: stream, endStream: true)
        }
    }

    /// A method whose answer goes on for days does not wait as long for what is asked.
    private func requestIsDue(of call: ServerCall) -> Deadline { .after(configuration.requestTimeout, from: call.began) }

    private func watch(_ deadline: Deadline) {
        timer.watch(deadline) { self.endLateCalls() }
    }

    private func endLateCalls() -> Deadline? {
        var next: Deadline?
        var takesNothing = false
        for (stream, call) in calls.elements {
            guard let deadline = call.context.deadline else { continue }
            let last = deadline + configuration.answerGrace
            if call.isEnded {
                // A caller that gives no room would have its answer kept for as long as it likes.
                if last.hasPassed { changeSession { $0.reset(stream, .cancel) } }
                // One that reads nothing is not reached by the reset either, which would be there, and the call, for as long.
                let end = last + configuration.answerGrace
                if end.hasPassed {
                    if !http.hasRoom { takesNothing = true }
                } else {
                    next = Deadline.earlier(next, last.hasPassed ? end : last)
                }
            } else if deadline.hasPassed {
                call.end(.failure(deadlinePassed(of: call)))
                next = Deadline.earlier(next, last)
            } else if call.awaitsRequest {
                let due = requestIsDue(of: call)
                next = Deadline.earlier(next, due.hasPassed ? last : min(deadline, due))
                if due.hasPassed { call.end(.failure(RPCError(.deadlineExceeded, "The request took too long to come."))) }
            } else {
                next = Deadline.earlier(next, deadline)
            }
        }
        if takesNothing {
            http.close(because: "The client takes nothing of what it is sent.")
            return nil
        }
        return next
    }

    private func deadlinePassed(of call: ServerCall) -> RPCError {
        let error = RPCError(.deadlineExceeded, "The call took longer than its deadline allows.")
        guard !call.awaitsRequest, let explain = configuration.explainLate else { return error }
        return explain(error, call.context.stages)
    }

    func handlerStarted() {
        runningHandlers += 1
    }

    func handlerEnded(isOrphaned: Bool) {
        runningHandlers -= 1
        if isOrphaned { orphanedHandlers -= 1 }
        reportEnd()
    }

    func reportEnd() {
        if isClosed, runningHandlers == 0 { onEnd(self) }
    }

    /// What an error's cause was. Its text is not written: of an error that this module does not know nobody can say
    /// that it holds no values. A program that knows its errors logs them in an interceptor.
    func log(_ error: RPCError, of context: RPCContext) {
        guard !methods.isObserved, let cause = error.cause, !(cause is CancellationError) else { return }
        logger.debug(
            "call failed",
            metadata: [
                "method": "\(context.method.path)", "request_id": "\(context.requestID)",
                "code": "\(error.code.name)", "cause": "\(type(of: cause))",
            ]
        )
    }
}

extension RPCError {
    /// Of a call that is reset with REFUSED_STREAM, as its caller understands that.
    fileprivate static let noPlaceForCall = RPCError(.unavailable, "The connection has as many calls as it may.")
}
