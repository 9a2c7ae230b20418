extension ServerCall: HandledCall {
    func requestStream<Request: Message>(of type: Request.Type) -> RequestStream<Request> {
        guard let requests else { preconditionFailure("\(method.descriptor.path) has a single request") }
        return RequestStream(requests)
    }

    func decodeSingleRequest<Request: Message>(as type: Request.Type) throws(RPCError) -> Request {
        guard let request else { throw .notOneRequest }
        do {
            return try Request(decoding: request.bytes)
        } catch {
            throw RPCError(unreadableRequest: error)
        }
    }

    func setSingleResponse(_ message: some Message) throws(RPCError) {
        response = try MessageFrame.encode(message, limit: connection.configuration.maxSendMessageBytes)
    }

    var singleResponse: [UInt8]? { response.map { Array($0.dropFirst(MessageFrame.prefixBytes)) } }

    func write(_ message: some Message, compressed: Bool?) async throws(RPCError) {
        var frame = try MessageFrame.encode(message, limit: connection.configuration.maxSendMessageBytes)
        if packsResponses(compressed) { frame = await MessageFrame.packed(frame) }
        try await gate?.write { [frame] in self.send(frame) }
    }

    func sendMetadata() async throws(RPCError) {
        try await gate?.write { self.send(nil) }
    }

    var requestIsCompressed: Bool { request?.isCompressed ?? false }

    func unpackRequest() async throws(RPCError) {
        guard let packed = request else { return }
        request = ReceivedMessage(bytes: try await packed.unpacked(limit: connection.configuration.maxReceiveMessageBytes))
    }

    /// Whether a message is packed: as it is asked for it, or else for the whole answer, and only for a caller that reads it.
    func packsResponses(_ asked: Bool? = nil) -> Bool {
        guard peerCompression.accepts == .gzip, asked ?? context.responseMetadata.asksForCompression else { return false }
        return context.responseMetadata.askForCompression()
    }

    func packSingleResponse() async {
        if let frame = response { response = await MessageFrame.packed(frame) }
    }
}
