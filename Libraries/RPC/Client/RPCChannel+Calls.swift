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
        try await attempt(method.descriptor, options) { context in
            var frame = try self.frame(of: request, context)
            if context.compression != nil { frame = await MessageFrame.packed(frame) }
            let lane = self.lane()
            let received: ReceivedMessage
            if let repetition = self.repetition(context, frame) {
                received = try await self.repeated(repetition, context, lane).singleResponse(frame)
            } else {
                let call = ClientCall(context: context, executor: lane.executor, configuration: self.configuration)
                received = try await call.singleResponse(to: frame, over: lane)
                self.throttle?.succeeded()
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
        try await intercepted(context(of: method.descriptor, options)) { context in
            var frame = try self.frame(of: request, context)
            if context.compression != nil { frame = await MessageFrame.packed(frame) }
            return try await self.streamed(context, frame) { call in try await body(ResponseStream(call)) }
        }
    }

    /// Sends what `body` writes, then is answered once. An error from `body` cancels the call.
    package func clientStreaming<Request, Response>(
        _ method: Method<Request, Response>,
        options: CallOptions = .init(),
        _ body: @escaping @Sendable (RequestWriter<Request>) async throws -> Void
    ) async throws(RPCError) -> UnaryResponse<Response> {
        try await attempt(method.descriptor, options) { context in
            let limit = self.sendLimit(context)
            let (call, lane) = self.makeCall(context, nil)
            let received = try await withThrowingTaskGroup { group in
                group.addTask {
                    let writer = RequestWriter<Request>(call, limit: limit)
                    do { try await body(writer) } catch {
                        call.cancel()
                        throw error
                    }
                    writer.finish()
                }
                do throws(RPCError) {
                    // A server may answer without waiting for the last message; then nobody waits for `body` either.
                    let received = try await call.singleResponse(nil, in: lane)
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
        try await intercepted(context(of: method.descriptor, options)) { context in
            let limit = self.sendLimit(context)
            return try await self.streamed(context, nil) { call in
                try await body(RequestWriter(call, limit: limit), ResponseStream(call))
            }
        }
    }

    // MARK: What every call goes through

    private func sendLimit(_ context: ClientCallContext) -> Int {
        min(configuration.maxSendMessageBytes, context.plan?.maxRequestMessageBytes ?? .max)
    }

    private func receiveLimit(_ context: ClientCallContext) -> Int {
        min(configuration.maxReceiveMessageBytes, context.plan?.maxResponseMessageBytes ?? .max)
    }

    private func frame(of request: some Message, _ context: ClientCallContext) throws(RPCError) -> [UInt8] {
        try MessageFrame.encode(request, limit: sendLimit(context))
    }

    /// How the call may be repeated. A request that is too large to be kept is sent once.
    private func repetition(_ context: ClientCallContext, _ frame: [UInt8]?) -> MethodConfig.Repetition? {
        guard let plan = context.plan, let repetition = plan.repetition else { return nil }
        let byteCount = frame?.count ?? 0
        let mayBeKept = byteCount <= configuration.maxRetryBufferBytes && retryBuffer.hasRoom(for: byteCount)
        return mayBeKept ? repetition : nil
    }

    private func repeated(
        _ repetition: MethodConfig.Repetition, _ context: ClientCallContext, _ lane: ChannelLane
    ) -> RepeatedCall {
        RepeatedCall(
            repetition, context: context, lane: lane, configuration: configuration, throttle: throttle, buffer: retryBuffer)
    }

    private func makeCall(_ context: ClientCallContext, _ frame: [UInt8]?) -> (OutgoingCall, ChannelLane) {
        let lane = lane()
        if let repetition = repetition(context, frame) { return (.repeated(repeated(repetition, context, lane)), lane) }
        return (.once(ClientCall(context: context, executor: lane.executor, configuration: configuration)), lane)
    }

    private func response<Response: Message>(
        _ received: ReceivedMessage,
        _ context: ClientCallContext
    ) async throws(RPCError) -> UnaryResponse<Response> {
        let bytes =
            received.isCompressed
            ? try await received.unpacked(limit: receiveLimit(context)) : received.bytes
        do {
            return UnaryResponse(
                message: try Response(decoding: bytes),
                metadata: context.responseMetadata.contents,
                trailers: context.trailingMetadata.contents,
                wasCompressed: received.isCompressed
            )
        } catch {
            throw RPCError(unreadableResponse: error)
        }
    }

    private func streamed<Result: Sendable>(
        _ context: ClientCallContext,
        _ frame: [UInt8]?,
        _ body: @Sendable (OutgoingCall) async throws -> Result
    ) async throws -> Result {
        try context.check()
        let scope = CurrentTask.scope
        scope?.entered(.call)
        defer { scope?.left(.call) }
        let (call, lane) = makeCall(context, frame)
        defer { call.cancel() }
        return try await withTaskCancellationHandler {
            call.start(frame, in: lane)
            return try await body(call)
        } onCancel: {
            call.cancel()
        }
    }

    private func attempt<Result: Sendable>(
        _ method: MethodDescriptor,
        _ options: CallOptions,
        _ call: @Sendable (ClientCallContext) async throws -> Result
    ) async throws(RPCError) -> Result {
        let scope = CurrentTask.scope
        scope?.entered(.call)
        defer { scope?.left(.call) }
        do {
            let context = context(of: method, options)
            if interceptors.isEmpty {
                try context.check()
                return try await call(context)
            }
            return try await intercepted(context) { context in
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
        let plan = plans?.plan(of: method)
        var limit = method.policy.timeout.limit
        if let timeout = options.timeout { limit = min(limit, timeout) }
        if let timeout = plan?.timeout { limit = min(limit, timeout) }
        var metadata = options.metadata
        TraceContext.current?.write(into: &metadata)
        return ClientCallContext(
            method: method,
            metadata: metadata,
            deadline: Deadline.earlier(.after(limit), Deadline.current),
            waitForReady: options.waitForReady ?? plan?.waitForReady ?? false,
            compression: compression.chosen(options.encoding),
            plan: plan
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
