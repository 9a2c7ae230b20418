/// A call as those who handle it see it: its requests, and where its answer goes. On any thread.
protocol HandledCall: AnyObject, Sendable {
    /// Whether the single request came packed, and has to be unpacked before it is read.
    var requestIsCompressed: Bool { get }
    func unpackRequest() async throws(RPCError)
    /// Throws INVALID_ARGUMENT or INTERNAL for bytes that are no such message.
    func decodeSingleRequest<Request: Message>(as type: Request.Type) throws(RPCError) -> Request
    /// The messages of a caller that sends several.
    func requestStream<Request: Message>(of type: Request.Type) -> RequestStream<Request>

    /// Whether a message is packed: as it is asked for it, or else for the whole answer, and only for a caller that reads it.
    func packsResponses(_ asked: Bool?) -> Bool
    /// Keeps the one message of the answer until the handler has ended.
    func setSingleResponse(_ message: some Message) throws(RPCError)
    /// The bytes of that message, before it is packed.
    var singleResponse: [UInt8]? { get }
    func packSingleResponse() async
    /// Sends one of several messages; suspends while enough waits to be sent.
    func write(_ message: some Message, compressed: Bool?) async throws(RPCError)
    /// Sends the response metadata before the first message is there.
    func sendMetadata() async throws(RPCError)
}
