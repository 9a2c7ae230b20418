package import Time

/// What a handler knows about the call that it answers, and where it puts metadata for the answer. A copy costs one
/// reference.
package struct RPCContext: Sendable {
    private var contents: Contents

    /// It also holds the boxes of metadata, unless it is a copy or was given others.
    private final class Contents: MetadataHolder, CallScope, @unchecked Sendable {
        // `values` is changed only while nobody else has a reference.
        let method: MethodDescriptor
        let metadata: Metadata
        let deadline: Deadline?
        let peer: String
        let peerIdentity: PeerIdentity?
        let requestID: RequestID
        let trace: TraceContext
        let stages = StageCounts()
        let givenBoxes: (response: MetadataBox, trailing: MetadataBox)?
        /// The one request of the call, and the most that it may unpack to. Set before a handler sees it.
        var request: (message: ReceivedMessage, limit: Int)?
        var values: [ObjectIdentifier: any Sendable]

        init(
            method: MethodDescriptor,
            metadata: Metadata,
            deadline: Deadline?,
            peer: String,
            peerIdentity: PeerIdentity?,
            requestID: RequestID,
            trace: TraceContext,
            boxes: (response: MetadataBox, trailing: MetadataBox)? = nil,
            values: [ObjectIdentifier: any Sendable] = [:]
        ) {
            self.method = method
            self.metadata = metadata
            self.deadline = deadline
            self.peer = peer
            self.peerIdentity = peerIdentity
            self.requestID = requestID
            self.trace = trace
            self.givenBoxes = boxes
            self.values = values
            super.init()
        }

        func copy() -> Contents {
            let copy = Contents(
                method: method, metadata: metadata, deadline: deadline, peer: peer, peerIdentity: peerIdentity,
                requestID: requestID, trace: trace,
                boxes: (givenBoxes?.response ?? beforeMessages, givenBoxes?.trailing ?? behindStatus), values: values)
            copy.request = request
            return copy
        }

        func entered(_ stage: WorkStage) { stages.entered(stage) }
        func left(_ stage: WorkStage) { stages.left(stage) }
    }

    package init(
        method: MethodDescriptor,
        metadata: Metadata = [:],
        deadline: Deadline? = nil,
        peer: String = "",
        peerIdentity: PeerIdentity? = nil,
        requestID: String = "",
        trace: TraceContext = .make(),
        responseMetadata: MetadataBox = MetadataBox(),
        trailingMetadata: MetadataBox = MetadataBox()
    ) {
        contents = Contents(
            method: method, metadata: metadata, deadline: deadline, peer: peer, peerIdentity: peerIdentity,
            requestID: .given(requestID), trace: trace, boxes: (responseMetadata, trailingMetadata))
    }

    init(
        method: MethodDescriptor,
        metadata: Metadata,
        deadline: Deadline,
        peer: String,
        peerIdentity: PeerIdentity?
    ) {
        contents = Contents(
            method: method, metadata: metadata, deadline: deadline, peer: peer, peerIdentity: peerIdentity,
            requestID: metadata["x-request-id"].map { .given($0) } ?? RequestID.make(),
            trace: TraceContext(metadata) ?? .make())
    }

    /// What the handler's task works for: the call's deadline and trace.
    package var scope: any TaskScope { contents }

    /// What the handler's task, and its children, wait for now. A copy that was given values of its own knows nothing of it.
    package var stages: [WorkStage] { contents.stages.current }

    package var method: MethodDescriptor { contents.method }

    /// What the caller sent, without the names that belong to gRPC and HTTP/2.
    package var metadata: Metadata { contents.metadata }

    /// When the server gives the call up: the caller's deadline or the method's limit, whichever comes first. It is
    /// also `Deadline.current` while the handler runs.
    package var deadline: Deadline? { contents.deadline }

    /// Where the call came from, such as `ipv4:10.0.0.7:51022`.
    package var peer: String { contents.peer }

    /// Who called, by the certificate that the caller's connection was made with; `nil` when it showed none. It says
    /// which program is on the other side, not which user it acts for.
    package var peerIdentity: PeerIdentity? { contents.peerIdentity }

    /// What the caller sent as `x-request-id`, or a name made here. Every log line about the call tells it, as far as it is short and plain.
    package var requestID: String { contents.requestID.text }

    /// The trace that the call belongs to: what the caller sent as `traceparent`, or one that begins here. It is also
    /// `TraceContext.current` while the handler runs.
    package var trace: TraceContext { contents.trace }

    /// Metadata that goes before the first message.
    package var responseMetadata: MetadataBox { contents.givenBoxes?.response ?? contents.beforeMessages }

    /// Metadata that goes behind the status.
    package var trailingMetadata: MetadataBox { contents.givenBoxes?.trailing ?? contents.behindStatus }

    /// Whether the one request of the call came compressed; of a stream, `RequestStream.framed` tells it of each message.
    package var requestWasCompressed: Bool { contents.request?.message.isCompressed ?? false }

    /// The bytes of the one request of the call, for an interceptor that has to know what is asked before the handler does; nil for a call
    /// whose caller sends several. Nobody has checked yet whether they are a message.
    ///
    /// Throws RESOURCE_EXHAUSTED and INTERNAL as reading the request does.
    package func requestBytes() async throws(RPCError) -> [UInt8]? {
        guard let request = contents.request else { return nil }
        return try await request.message.unpacked(limit: request.limit)
    }

    func note(_ request: ReceivedMessage, limit: Int) { contents.request = (request, limit) }

    /// Lets go of the one request; copies of the context keep it.
    mutating func forgetRequest() {
        if !isKnownUniquelyReferenced(&contents) { contents = contents.copy() }
        contents.request = nil
    }

    /// Says what is known of the one request before it has come, for a door that reads it behind the interceptors: they find that in its place.
    package func note(_ request: [UInt8]) { note(ReceivedMessage(bytes: request), limit: request.count) }

    /// Has the messages of the answer compressed with gzip, if the caller reads it and the answer has not begun.
    package func compressResponse() { responseMetadata.askForCompression() }

    /// A value that an interceptor put into the context, or `nil` when none did.
    package subscript<Key: RPCContextKey>(_ key: Key.Type) -> Key.Value? {
        get { contents.values[ObjectIdentifier(key)] as? Key.Value }
        set {
            if !isKnownUniquelyReferenced(&contents) { contents = contents.copy() }
            contents.values[ObjectIdentifier(key)] = newValue
        }
    }
}
