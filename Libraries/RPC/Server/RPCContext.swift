package import Time

/// What a handler knows about the call that it answers, and where it puts metadata for the answer. A copy costs one
/// reference.
package struct RPCContext: Sendable {
    private var contents: Contents

    /// It also holds the boxes of metadata, unless it is a copy or was given others.
    private final class Contents: MetadataHolder, @unchecked Sendable {
        // `values` is changed only while nobody else has a reference.
        let method: MethodDescriptor
        let metadata: Metadata
        let deadline: Deadline?
        let peer: String
        let requestID: RequestID
        let givenBoxes: (response: MetadataBox, trailing: MetadataBox)?
        /// Set before a handler sees it.
        var requestWasCompressed = false
        var values: [ObjectIdentifier: any Sendable]

        init(
            method: MethodDescriptor,
            metadata: Metadata,
            deadline: Deadline?,
            peer: String,
            requestID: RequestID,
            boxes: (response: MetadataBox, trailing: MetadataBox)? = nil,
            values: [ObjectIdentifier: any Sendable] = [:]
        ) {
            self.method = method
            self.metadata = metadata
            self.deadline = deadline
            self.peer = peer
            self.requestID = requestID
            self.givenBoxes = boxes
            self.values = values
            super.init()
        }

        func copy() -> Contents {
            let copy = Contents(
                method: method, metadata: metadata, deadline: deadline, peer: peer, requestID: requestID,
                boxes: (givenBoxes?.response ?? beforeMessages, givenBoxes?.trailing ?? behindStatus), values: values)
            copy.requestWasCompressed = requestWasCompressed
            return copy
        }
    }

    package init(
        method: MethodDescriptor,
        metadata: Metadata = [:],
        deadline: Deadline? = nil,
        peer: String = "",
        requestID: String = "",
        responseMetadata: MetadataBox = MetadataBox(),
        trailingMetadata: MetadataBox = MetadataBox()
    ) {
        contents = Contents(
            method: method, metadata: metadata, deadline: deadline, peer: peer, requestID: .given(requestID),
            boxes: (responseMetadata, trailingMetadata))
    }

    init(method: MethodDescriptor, metadata: Metadata, deadline: Deadline, peer: String) {
        contents = Contents(
            method: method, metadata: metadata, deadline: deadline, peer: peer,
            requestID: metadata["x-request-id"].map { .given($0) } ?? RequestID.make())
    }

    package var method: MethodDescriptor { contents.method }

    /// What the caller sent, without the names that belong to gRPC and HTTP/2.
    package var metadata: Metadata { contents.metadata }

    /// When the server gives the call up: the caller's deadline or the method's limit, whichever comes first. It is
    /// also `Deadline.current` while the handler runs.
    package var deadline: Deadline? { contents.deadline }

    /// Where the call came from, such as `ipv4:10.0.0.7:51022`.
    package var peer: String { contents.peer }

    /// What the caller sent as `x-request-id`, or a name made here. It appears in every log line about the call.
    package var requestID: String { contents.requestID.text }

    /// Metadata that goes before the first message.
    package var responseMetadata: MetadataBox { contents.givenBoxes?.response ?? contents.beforeMessages }

    /// Metadata that goes behind the status.
    package var trailingMetadata: MetadataBox { contents.givenBoxes?.trailing ?? contents.behindStatus }

    /// Whether the one request of the call came compressed; of a stream, `RequestStream.framed` tells it of each message.
    package var requestWasCompressed: Bool { contents.requestWasCompressed }

    func noteCompressedRequest() { contents.requestWasCompressed = true }

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
