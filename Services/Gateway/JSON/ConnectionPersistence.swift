import NIOCore
import NIOHTTP1

/// Says behind each answer whether another may follow on the connection (RFC 9112, section 9.3), and to a client that asks whether to send its body that
/// it is wanted (RFC 9110, section 10.1.1). Hummingbird says neither, and reads a body that nobody wants to its end, however far that is.
///
/// An answer to a request that has not come whole is the connection's last, unless what is still to come says that it is little. So is one to a client
/// that asks for it, speaks HTTP/1.0 or offers another protocol: behind such an offer NIO's decoder reads nothing more.
final class ConnectionPersistence: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// Told the channel by whoever is about to read the body of the request that is answered next.
    struct BodyIsWanted: Sendable {}

    /// As much of a body that nobody wants is read, for the sake of the connection.
    private static let mostUnreadBytes = 64 << 10
    /// As much of one is dropped behind the last answer: who still sends when the connection is reset may never read it (RFC 9112, section 9.6). It is twice what
    /// the door takes. What comes slowly is ended by the connection's limit for silence, which it does not begin anew.
    private static let mostDroppedBytes = 8 << 20

    /// A request and its answer.
    private struct Exchange {
        let mayBeFollowed: Bool
        /// Whether the client sends nothing until it hears that its body is wanted.
        var isAsking: Bool
        /// What is still to come of the body; `nil` where nobody knows.
        var unreadBytes: Int?
        var isWhole = false
        var isAnswered = false

        init(_ head: HTTPRequestHead) {
            let fields = head.headers
            mayBeFollowed = head.version != .http1_0 && head.isKeepAlive && head.method != .CONNECT && !fields.contains(name: "upgrade")
            if fields.contains(name: "transfer-encoding") {
                unreadBytes = nil
            } else if let length = fields.first(name: "content-length") {
                unreadBytes = Int(length)
            } else {
                unreadBytes = 0
            }
            isAsking = head.version != .http1_0 && fields[canonicalForm: "expect"].contains { $0.lowercased() == "100-continue" }
        }

        /// Whether an answer now is the connection's last.
        var isLast: Bool {
            if !mayBeFollowed || isWhole { return !mayBeFollowed }
            return isAsking || (unreadBytes ?? .max) > ConnectionPersistence.mostUnreadBytes
        }
    }

    /// In the order of their requests. The last may still be coming, also behind its answer.
    private var exchanges: [Exchange] = []
    /// Whether the answer that is being written is the connection's last.
    private var isLastAnswer = false
    /// What has come behind the last answer; `nil` before it is written.
    private var droppedBytes: Int?

    // MARK: What comes

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        if let droppedBytes {
            drop(part, droppedBytes, context)
            return
        }
        // What is pipelined behind a last request is none.
        if let last = exchanges.last, last.isWhole, !last.mayBeFollowed { return }
        note(part)
        context.fireChannelRead(data)
    }

    private func note(_ part: HTTPServerRequestPart) {
        if case .head(let head) = part { exchanges.append(Exchange(head)) }
        guard var last = exchanges.popLast() else { return }
        switch part {
        case .head: break
        case .body(let bytes):
            last.isAsking = false
            last.unreadBytes = last.unreadBytes.map { $0 - bytes.readableBytes }
        case .end:
            last.isWhole = true
            if last.isAnswered { return }
        }
        exchanges.append(last)
    }

    private func drop(_ part: HTTPServerRequestPart, _ before: Int, _ context: ChannelHandlerContext) {
        guard case .body(let bytes) = part else { return }
        droppedBytes = before + bytes.readableBytes
        if before + bytes.readableBytes > Self.mostDroppedBytes { context.close(promise: nil) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        // Who would ask for more has stopped reading.
        if droppedBytes != nil { context.read() }
    }

    // MARK: What goes

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is BodyIsWanted else {
            context.triggerUserOutboundEvent(event, promise: promise)
            return
        }
        if let first = exchanges.first, first.isAsking, !first.isWhole {
            exchanges[0].isAsking = false
            context.writeAndFlush(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
        }
        promise?.succeed(())
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            // What cannot be read as a request is answered too.
            isLastAnswer = exchanges.first?.isLast ?? true
            if isLastAnswer { head.headers.replaceOrAdd(name: "connection", value: "close") }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body:
            context.write(data, promise: promise)
        case .end:
            if let first = exchanges.first {
                if first.isWhole { exchanges.removeFirst() } else { exchanges[0].isAnswered = true }
            }
            guard isLastAnswer else {
                context.write(data, promise: promise)
                return
            }
            context.writeAndFlush(data, promise: promise)
            context.close(mode: .output, promise: nil)
            droppedBytes = 0
            context.read()
        }
    }
}
