package import Time

/// What a handler knows about the call that it answers, and where it puts metadata for the answer.
package struct RPCContext: Sendable {
    package let method: MethodDescriptor
    /// What the caller sent, without the names that belong to gRPC and HTTP/2.
    package let metadata: Metadata
    /// When the server gives the call up: the caller's deadline or the method's limit, whichever comes first. It is
    /// also `Deadline.current` while the handler runs.
    package let deadline: Deadline?
    /// Where the call came from, such as `ipv4:10.0.0.7:51022`.
    package let peer: String
    /// What the caller sent as `x-request-id`, or a name made here. It appears in every log line about the call.
    package let requestID: String
    /// Metadata that goes before the first message.
    package let responseMetadata: MetadataBox
    /// Metadata that goes behind the status.
    package let trailingMetadata: MetadataBox

    private var values: [ObjectIdentifier: any Sendable] = [:]

    package init(
        method: MethodDescriptor,
        metadata: Metadata = [:],
        deadline: Deadline? = nil,
        peer: String = "",
        requestID: String = "",
        responseMetadata: MetadataBox = MetadataBox(),
        trailingMetadata: MetadataBox = MetadataBox()
    ) {
        self.method = method
        self.metadata = metadata
        self.deadline = deadline
        self.peer = peer
        self.requestID = requestID
        self.responseMetadata = responseMetadata
        self.trailingMetadata = trailingMetadata
    }

    /// A value that an interceptor put into the context, or `nil` when none did.
    package subscript<Key: RPCContextKey>(_ key: Key.Type) -> Key.Value? {
        get { values[ObjectIdentifier(key)] as? Key.Value }
        set { values[ObjectIdentifier(key)] = newValue }
    }
}
