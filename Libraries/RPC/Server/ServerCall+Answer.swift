internal import HTTP2
internal import Time

/// How a call is answered, on its event loop.
extension ServerCall {
    /// Sends the status, unless the call already has one, and stops the handler if it still runs.
    func end(_ result: Result<Void, RPCError>) {
        var result = result
        if case .success = result, method.descriptor.kind.hasSingleResponse, response == nil {
            result = .failure(RPCError(.internalError, "The method ended without an answer."))
        }
        if case .success = result, let response {
            self.response = nil
            _ = send(response)
        }
        var metadata = context.trailingMetadata.contents
        if case .failure(let error) = result { metadata.append(contentsOf: error.trailers) }
        if !metadata.isEmpty, let problem = metadata.firstProblem {
            finish(.failure(RPCError(.internalError, problem, cause: result.failure)), [:])
        } else {
            finish(result, metadata)
        }
    }

    private func finish(_ result: Result<Void, RPCError>, _ metadata: Metadata) {
        let ending = state.end()
        if ending == .nothing { return }
        connection.counts.callEnded(result.failure == nil)
        let fixed: HTTP2FixedFields?
        let trailers: [HTTP2Header]
        switch result {
        case .success: (fixed, trailers) = (StatusTrailers.ok, StatusTrailers.fields(metadata))
        case .failure(let error): (fixed, trailers) = (nil, StatusTrailers.failure(StatusTrailers.fitting(error), metadata))
        }
        if ending == .trailersOnly {
            // Response metadata goes along, unless it is what went wrong.
            let metadata = context.responseMetadata.contents
            var headers = metadata.firstProblem == nil ? StatusTrailers.fields(metadata) : []
            if case .success = result { headers.append(HTTP2Header("grpc-status", "0")) }
            headers += trailers
            connection.changeSession { session throws(HTTP2Error) in
                try session.sendResponse(headers, after: StatusTrailers.responseHead, on: stream, endStream: true)
            }
        } else {
            connection.changeSession { $0.finish(stream, trailers: trailers, after: fixed) }
        }
        report(result.failure)
        switch result {
        case .success: stopHandler(RPCError(.cancelled, "The call has ended."))
        case .failure(let error): stopHandler(error)
        }
    }

    func report(_ error: RPCError?) {
        if method.meters.isEmpty { return }
        let now = ContinuousClock.now
        ended = now
        let record = CallRecord(
            context: context, peer: context.peer, error: error, duration: began.duration(to: now),
            requestBytes: requestBytes, responseBytes: responseBytes)
        for meter in method.meters { meter.ended(record) }
    }

    func drained() {
        gate?.open()
    }

    func send(_ frame: [UInt8]?) -> WriteGate.Outcome {
        switch state.send() {
        case .headersFirst:
            let metadata = context.responseMetadata.contents
            if !metadata.isEmpty, let problem = metadata.firstProblem {
                let error = RPCError(.internalError, problem)
                state.unsend()
                end(.failure(error))
                return .ended(error)
            }
            var headers = StatusTrailers.fields(metadata)
            if context.responseMetadata.settleCompression(), peerCompression.accepts == .gzip {
                headers.append(HTTP2Header("grpc-encoding", "gzip"))
            }
            let head =
                peerCompression.accepts == .unsaid
                ? StatusTrailers.responseHead : StatusTrailers.responseHeadWithEncodings
            connection.changeSession { session throws(HTTP2Error) in
                try session.sendResponse(headers, after: head, on: stream, endStream: false)
            }
        case .messageAlone: break
        case .nothing: return .ended(RPCError(.cancelled, "The call has ended."))
        }
        guard let frame else { return .mayGoOn }
        responseBytes += frame.count
        connection.counts.messagesSent.add(at: connection.executor.batchTime)
        connection.changeSession { $0.send(frame, on: stream) }
        return connection.holdBackWriters(of: stream) ? .mustWait : .mayGoOn
    }
}
