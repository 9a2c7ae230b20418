/// Answers the calls of one method. What a body throws becomes the status of its call: an `RPCError` as it is, anything
/// else UNKNOWN with a neutral sentence and its cause in the log.
///
/// A body starts on the event loop of its connection and returns there after each `await`; work that computes for
/// milliseconds must be sent elsewhere. Its task is cancelled when the caller gives up or the deadline passes.
package struct MethodHandler: Sendable {
    package let descriptor: MethodDescriptor
    let run: @Sendable (any HandledCall, RPCContext) async throws -> Void
    /// Reads the one request of a unary call and writes it anew; `nil` for the other kinds.
    var rewrite: (@Sendable (any HandledCall) throws -> [UInt8])?

    package static func unary<Request, Response>(
        _ method: Method<Request, Response>,
        _ body: @escaping @Sendable (Request, RPCContext) async throws -> Response
    ) -> MethodHandler {
        var handler = MethodHandler(descriptor: method.descriptor) { call, context in
            if call.requestIsCompressed { try await call.unpackRequest() }
            let request = try call.decodeSingleRequest(as: Request.self)
            try call.setSingleResponse(try await body(request, context))
        }
        handler.rewrite = { call in try call.decodeSingleRequest(as: Request.self).serialized() }
        return handler
    }

    package static func serverStreaming<Request, Response>(
        _ method: Method<Request, Response>,
        _ body: @escaping @Sendable (Request, ResponseWriter<Response>, RPCContext) async throws -> Void
    ) -> MethodHandler {
        MethodHandler(descriptor: method.descriptor) { call, context in
            if call.requestIsCompressed { try await call.unpackRequest() }
            let request = try call.decodeSingleRequest(as: Request.self)
            try await body(request, ResponseWriter(call), context)
        }
    }

    package static func clientStreaming<Request, Response>(
        _ method: Method<Request, Response>,
        _ body: @escaping @Sendable (RequestStream<Request>, RPCContext) async throws -> Response
    ) -> MethodHandler {
        MethodHandler(descriptor: method.descriptor) { call, context in
            try call.setSingleResponse(try await body(call.requestStream(of: Request.self), context))
        }
    }

    package static func bidirectional<Request, Response>(
        _ method: Method<Request, Response>,
        _ body: @escaping @Sendable (RequestStream<Request>, ResponseWriter<Response>, RPCContext) async throws -> Void
    ) -> MethodHandler {
        MethodHandler(descriptor: method.descriptor) { call, context in
            try await body(call.requestStream(of: Request.self), ResponseWriter(call), context)
        }
    }
}
