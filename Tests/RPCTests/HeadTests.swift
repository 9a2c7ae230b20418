@testable import HTTP2
import Testing

@testable import RPC

@Suite struct `The head of a request` {
    private static let good = [
        HTTP2Header(":method", "POST"), HTTP2Header(":scheme", "http"), HTTP2Header(":path", "/a.B/C"),
        HTTP2Header("content-type", "application/grpc"), HTTP2Header("te", "trailers"),
    ]

    private func good(_ name: String, _ value: String?) -> [HTTP2Header] {
        Self.good.filter { $0.name != name } + (value.map { [HTTP2Header(name, $0)] } ?? [])
    }

    private func refusal(_ headers: [HTTP2Header], isTruncated: Bool = false) -> RequestHead.Refusal? {
        do throws(RequestHead.Refusal) {
            _ = try RequestHead(headers, isTruncated: isTruncated)
            return nil
        } catch { return error }
    }

    @Test func `says which method is called, how long it may take, and what the caller adds`() throws {
        let headers = good("grpc-timeout", "100m") + [
            HTTP2Header("user-agent", "test"), HTTP2Header("x-a", "1"), HTTP2Header("x-a", "2"),
            HTTP2Header("grpc-accept-encoding", "gzip"), HTTP2Header("grpc-message-type", "a.B"),
            HTTP2Header("grpc-previous-rpc-attempts", "1"),
        ]

        let head = try RequestHead(headers, isTruncated: false)

        #expect(head.method.descriptor.path == "/a.B/C")
        #expect(head.timeout == .milliseconds(100))
        #expect(head.metadata == ["user-agent": "test", "x-a": "1", "x-a": "2", "grpc-previous-rpc-attempts": "1"])
    }

    @Test(arguments: ["application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8", "application/grpc+proto;a=b"])
    func `is gRPC's by its content type`(contentType: String) {
        #expect(refusal(good("content-type", contentType)) == nil)
    }

    @Test(arguments: ["application/json", "application/grpc-web", "application/grpc+json", "text/plain", "", nil])
    func `is refused with HTTP status 415 when the content type is another`(contentType: String?) {
        guard case .http(415)? = refusal(good("content-type", contentType)) else {
            Issue.record("was not refused")
            return
        }
    }

    @Test func `is refused with HTTP status 405 when the method is not POST`() {
        guard case .http(405)? = refusal(good(":method", "GET")) else {
            Issue.record("was not refused")
            return
        }
    }

    @Test(arguments: [
        ("te", nil, StatusCode.internalError), ("te", "gzip", .internalError), ("grpc-encoding", "br", .unimplemented),
        ("grpc-timeout", "soon", .internalError),
    ])
    func `is refused with a status when gRPC forbids it`(name: String, value: String?, code: StatusCode) {
        guard case .status(let error)? = refusal(good(name, value)) else {
            Issue.record("was not refused")
            return
        }
        #expect(error.code == code)
    }

    @Test(arguments: [
        ("/a.B/E", "The service a.B has no method E."), ("/a.X/C", "The server has no method /a.X/C."),
        ("/", "The server has no method /."), ("", "The server has no method ."),
    ])
    func `is refused as UNIMPLEMENTED when its method is not known`(path: String, message: String) {
        guard case .status(let error)? = refusal(good(":path", path)) else {
            Issue.record("was not refused")
            return
        }
        #expect(error.code == .unimplemented)
        #expect(error.message == message)
    }

    @Test func `is refused when it was larger than the limit`() {
        guard case .status(let error)? = refusal(Self.good, isTruncated: true) else {
            Issue.record("was not refused")
            return
        }
        #expect(error.code == .resourceExhausted)
    }
}

extension HTTP2Batch {
    /// A batch with one block of headers.
    init(_ headers: [HTTP2Header]) {
        self.init()
        for header in headers {
            var (name, value) = (header.name, header.value)
            name.withUTF8 { name in
                value.withUTF8 { value in
                    unsafe addField(name: UnsafeRawBufferPointer(name), value: UnsafeRawBufferPointer(value))
                }
            }
        }
    }
}

extension RequestHead {
    private struct Service: RPCService {
        static let serviceName = "a.B"
        let handlers = ["C", "D"].map { name in
            MethodHandler.unary(
                Method<Note, Note>(
                    MethodDescriptor(service: "a.B", name: name, kind: .unary, policy: MethodPolicy(access: .anyone)))
            ) { request, _ in request }
        }
    }

    init(_ headers: [HTTP2Header], isTruncated: Bool) throws(Refusal) {
        var userAgent = RepeatedText()
        var accepted = AcceptedEncodings()
        try self.init(
            0..<headers.count, of: HTTP2Batch(headers), isTruncated: isTruncated,
            methods: MethodTable([Service()], interceptors: []), userAgent: &userAgent, accepted: &accepted)
    }
}

extension ResponseHead {
    init(first headers: [HTTP2Header], endStream: Bool) {
        self.init(first: 0..<headers.count, of: HTTP2Batch(headers), endStream: endStream)
    }

    init(trailers headers: [HTTP2Header]) {
        self.init(trailers: 0..<headers.count, of: HTTP2Batch(headers))
    }
}

@Suite struct `The head of a response` {
    private func error(_ head: ResponseHead) -> RPCError? {
        if case .ended(.failure(let error), _) = head { error } else { nil }
    }

    @Test func `begins an answer`() {
        let head = ResponseHead(
            first: [HTTP2Header(":status", "200"), HTTP2Header("content-type", "application/grpc+proto"), HTTP2Header("x-a", "1")],
            endStream: false
        )

        guard case .begun(let metadata, .identity) = head else {
            Issue.record("did not begin")
            return
        }
        #expect(metadata == ["x-a": "1"])
    }

    @Test func `may be the whole answer`() {
        let head = ResponseHead(
            first: [
                HTTP2Header(":status", "200"), HTTP2Header("content-type", "application/grpc"), HTTP2Header("grpc-status", "5"),
                HTTP2Header("grpc-message", "no%20such"), HTTP2Header("grpc-status-details-bin", "AQI="), HTTP2Header("x-a", "1"),
            ],
            endStream: true
        )

        #expect(error(head)?.code == .notFound)
        #expect(error(head)?.message == "no such")
        #expect(error(head)?.details == [1, 2])
        #expect(error(head)?.trailers == ["x-a": "1"])
    }

    // gRPC's http-grpc-status-mapping.md.
    @Test(arguments: [
        ("400", StatusCode.internalError), ("401", .unauthenticated), ("403", .permissionDenied), ("404", .unimplemented),
        ("429", .unavailable), ("502", .unavailable), ("503", .unavailable), ("504", .unavailable), ("500", .unknown), ("302", .unknown),
    ])
    func `of a server that is not gRPC's is judged by its HTTP status`(status: String, code: StatusCode) {
        #expect(error(ResponseHead(first: [HTTP2Header(":status", status)], endStream: true))?.code == code)
    }

    @Test func `that ends without a status is UNKNOWN`() {
        let headers = [HTTP2Header(":status", "200"), HTTP2Header("content-type", "application/grpc")]

        #expect(error(ResponseHead(first: headers, endStream: true))?.code == .unknown)
        #expect(error(ResponseHead(trailers: []))?.code == .unknown)
        #expect(error(ResponseHead(trailers: [HTTP2Header("grpc-status", "many")]))?.code == .unknown)
        #expect(error(ResponseHead(trailers: [HTTP2Header("grpc-status", "99")]))?.code == .unknown)
    }

    @Test func `with an encoding that nobody reads is INTERNAL`() {
        let headers = [
            HTTP2Header(":status", "200"), HTTP2Header("content-type", "application/grpc"), HTTP2Header("grpc-encoding", "br"),
        ]

        #expect(error(ResponseHead(first: headers, endStream: false))?.code == .internalError)
    }

    // gRPC's PROTOCOL-HTTP2.md, "Errors".
    @Test(arguments: [
        (HTTP2ErrorCode.noError, StatusCode.internalError), (.protocolError, .internalError), (.internalError, .internalError),
        (.flowControlError, .internalError), (.settingsTimeout, .internalError), (.streamClosed, .internalError),
        (.frameSizeError, .internalError), (.refusedStream, .unavailable), (.cancel, .cancelled),
        (.compressionError, .internalError), (.connectError, .internalError), (.enhanceYourCalm, .resourceExhausted),
        (.inadequateSecurity, .permissionDenied), (.http11Required, .internalError), (.init(rawValue: 4_711), .internalError),
    ])
    func `that never came is judged by the reset`(reset: HTTP2ErrorCode, code: StatusCode) {
        #expect(ResetMapping.error(reset).code == code)
    }
}
