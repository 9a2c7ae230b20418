package import Time

/// What a client's interceptors know about a call, and may change before it is sent.
package struct ClientCallContext: Sendable {
    package let method: MethodDescriptor
    package var metadata: Metadata
    package var deadline: Deadline?
    package var waitForReady: Bool
    /// How requests are packed.
    package var encoding: MessageEncoding { compression == nil ? .identity : .gzip }
    let compression: RequestCompression?
    /// Filled by the time that `next` returns.
    package let responseMetadata: MetadataBox
    /// Filled by the time that `next` returns or throws.
    package let trailingMetadata: MetadataBox
    let holder: ClientCallHolder
    /// What the channel's service config says about the method, if it says anything.
    let plan: CallPlan?
    /// How often the call was sent before, not counting what no server began.
    private(set) var previousAttempts = 0

    init(
        method: MethodDescriptor,
        metadata: Metadata,
        deadline: Deadline?,
        waitForReady: Bool,
        compression: RequestCompression?,
        plan: CallPlan? = nil
    ) {
        self.method = method
        self.metadata = metadata
        self.deadline = deadline
        self.waitForReady = waitForReady
        let holder = ClientCallHolder()
        self.holder = holder
        self.responseMetadata = holder.beforeMessages
        self.trailingMetadata = holder.behindStatus
        self.compression = compression
        self.plan = plan
    }

    /// How large the messages of the call were, when `next` has returned or thrown; `nil` of one that was not sent, and of a stream that
    /// was left before its end.
    package var messageBytes: MessageBytes? { holder.messageBytes }

    /// The same call once more, with metadata of its own to be filled.
    func attempt(_ number: Int) -> ClientCallContext {
        var attempt = ClientCallContext(
            method: method, metadata: metadata, deadline: deadline, waitForReady: waitForReady, compression: compression,
            plan: plan)
        attempt.previousAttempts = number
        return attempt
    }
}

/// Stands around the calls of a channel. Interceptors run in the order in which the channel was given them, the first
/// outermost; each may call `next` again to try a unary call once more.
package protocol ClientInterceptor: Sendable {
    func intercept(_ context: ClientCallContext, next: @Sendable (ClientCallContext) async throws -> Void) async throws
}
