internal import Synchronization
internal import Time

extension RPCChannel {
    /// Asks once and is answered once.
    package func unary<Request, Response>(
        _ method: Method<Request, Response>,
        _ request: Request,
        options: CallOptions = .init()
    ) async throws(RPCError) -> Response {
        try await unaryResponse(method, request, options: options).message
    }

    /// Asks once, and returns the answer with the metadata around it.
    package func unaryResponse<Request, Response>(
        _ method: Method<Request, Response>,
        _ request: Request,
        options: CallOptions = .init()
    ) async throws(RPCError) -> UnaryResponse<Response> {
        let plain = try MessageFrame.encode(request, limit: configuration.maxSendMessageBytes)
        return try await attempt(method.descriptor, options) { context in
            let frame = context.compression == nil ? plain : await MessageFrame.packed(plain)
            let (call, subchannel) = self.makeCall(context)
            let received = try await call.singleResponse {
                _ = call.send(frame)
                call.finishSending()
                subchannel.start(call)
            }
            return try await self.response(received, context)
        }
    }

    /// Asks once and is answered with a stream, which `body` reads. The call is cancelled when `body` returns or throws
    /// before the stream has ended.
    package func serverStreaming<Request, Response, Result: Sendable>(
        _ method: Method<Request, Response>,
        _ request: Request,
        options: CallOptions = .init(),
        _ body: @Sendable (ResponseStream<Response>) async throws -> Result
    ) async throws -> Result {
        let plain = try MessageFrame.encode(request, limit: configuration.maxSendMessageBytes)
        return try await streamed(method.descriptor, options) { call, subchannel, context in
            let frame = context.compression == nil ? plain : await MessageFrame.packed(plain)
            subchannel.executor.run {
                _ = call.send(frame)
                call.finishSending()
                if !call.isEnded { subchannel.start(call) }
            }
            return try await body(ResponseStream(call))
        }
    }

    /// Sends what `body` writes, then is answered once. An error from `body` cancels the call.
    package func clientStreaming<Request, Response>(
        _ method: Method<Request, Response>,
        options: CallOptions = .init(),
        _ body: @escaping @Sendable (RequestWriter<Request>) async throws -> Void
    ) async throws(RPCError) -> UnaryResponse<Response> {
        let limit = configuration.maxSendMessageBytes
        return try await attempt(method.descriptor, options) { context in
            let (call, subchannel) = self.makeCall(context)
            let received = try await withThrowingTaskGroup { group in
                group.addTask {
                    let writer = RequestWriter<Request>(call, limit: limit)
                    do { try await body(writer) } catch {
                        call.cancelFromAnywhere()
                        throw error
                    }
                    writer.finish()
                }
                do throws(RPCError) {
                    // A server may answer without waiting for the last message; then nobody waits for `body` either.
                    let received = try await call.singleResponse { subchannel.start(call) }
                    group.cancelAll()
                    return received
                } catch {
                    group.cancelAll()
                    if error.code == .cancelled, case .failure(let reason)? = await group.nextResult() { throw reason }
                    throw error
                }
            }
            return try await self.response(received, context)
        }
    }

    /// Sends and is answered with streams at the same time. The call is cancelled when `body` returns or throws before
    /// the responses have ended.
    package func bidirectional<Request, Response, Result: Sendable>(
        _ method: Method<Request, Response>,
        options: CallOptions = .init(),
        _ body: @Sendable (RequestWriter<Request>, ResponseStream<Response>) async throws -> Result
    ) async throws -> Result {
        let limit = configuration.maxSendMessageBytes
        return try await streamed(method.descriptor, options) { call, subchannel, context in
            subchannel.executor.run { if !call.isEnded { subchannel.start(call) } }
            return try await body(RequestWriter(call, limit: limit), ResponseStream(call))
        }
    }

    // MARK: What every call goes through

    private func makeCall(_ context: ClientCallContext) -> (ClientCall, Subchannel) {
        let subchannel = subchannel()
        return (ClientCall(context: context, executor: subchannel.executor, configuration: configuration), subchannel)
    }

    private func response<Response: Message>(
        _ received: ReceivedMessage,
        _ context: ClientCallContext
    ) async throws(RPCError) -> UnaryResponse<Response> {
        let bytes =
            received.isCompressed
            ? try await received.unpacked(limit: configuration.maxReceiveMessageBytes) : received.bytes
        do {
            return UnaryResponse(
                message: try Response(decoding: bytes),
                metadata: context.responseMetadata.contents,
                trailers: context.trailingMetadata.contents,
                wasCompressed: received.isCompressed
            )
        } catch {
            throw RPCError(.internalError, "The message \(error.messageName) could not be read: \(error.reason)", cause: error)
        }
    }

    private func streamed<Result: Sendable>(
        _ method: MethodDescriptor,
        _ options: CallOptions,
        _ body: @Sendable (ClientCall, Subchannel, ClientCallContext) async throws -> Result
    ) async throws -> Result {
        try await intercepted(context(of: method, options)) { context in
            try context.check()
            let (call, subchannel) = self.makeCall(context)
            defer { call.cancelFromAnywhere() }
            return try await withTaskCancellationHandler {
                try await body(call, subchannel, context)
            } onCancel: {
                call.cancelFromAnywhere()
            }
        }
    }

    private func attempt<Result: Sendable>(
        _ method: MethodDescriptor,
        _ options: CallOptions,
        _ call: @Sendable (ClientCallContext) async throws -> Result
    ) async throws(RPCError) -> Result {
        do {
            return try await intercepted(context(of: method, options)) { context in
                try context.check()
                return try await call(context)
            }
        } catch let error as RPCError {
            throw error
        } catch is CancellationError {
            throw .cancelledByCaller
        } catch {
            throw RPCError(.unknown, "The call could not be made.", cause: error)
        }
    }

    private func context(of method: MethodDescriptor, _ options: CallOptions) -> ClientCallContext {
        let limit = Deadline.after(min(options.timeout ?? method.policy.timeout.limit, method.policy.timeout.limit))
        var metadata = options.metadata
        TraceContext.current?.write(into: &metadata)
        return ClientCallContext(
            method: method,
            metadata: metadata,
            deadline: Deadline.earlier(limit, Deadline.current),
            waitForReady: options.waitForReady,
            compression: compression.chosen(options.encoding)
        )
    }

    /// Runs the call inside the interceptors. The result of the last `next` counts.
    private func intercepted<Result: Sendable>(
        _ context: ClientCallContext,
        _ call: @Sendable (ClientCallContext) async throws -> Result
    ) async throws -> Result {
        if interceptors.isEmpty { return try await call(context) }
        let result = Box<Result>()
        try await surround(interceptors[...], context) { context in
            result.set(try await call(context))
        }
        guard let value = result.value else {
            throw RPCError(.internalError, "An interceptor let the call end without making it.")
        }
        return value
    }

    private func surround(
        _ interceptors: ArraySlice<any ClientInterceptor>,
        _ context: ClientCallContext,
        _ call: @Sendable (ClientCallContext) async throws -> Void
    ) async throws {
        guard let interceptor = interceptors.first else { return try await call(context) }
        try await interceptor.intercept(context) { context in
            try await self.surround(interceptors.dropFirst(), context, call)
        }
    }

    private final class Box<Value: Sendable>: Sendable {
        private let stored = Mutex<Value?>(nil)

        var value: Value? { stored.withLock { $0 } }

        func set(_ value: Value) {
            stored.withLock { $0 = value }
        }
    }
}

extension ClientCallContext {
    fileprivate func check() throws(RPCError) {
        if let problem = metadata.firstProblem { throw RPCError(.internalError, problem) }
    }
}
