@testable import HTTP2
@testable import RPC

/// Header fields of requests and responses, and the small grammars inside them. The first byte chooses.
enum HeadsFuzz {
    private static let methods = MethodTable([EchoService(HandlerCounts())], interceptors: [])

    static func run(_ bytes: [UInt8]) throws {
        var input = FuzzInput(bytes)
        switch input.byte() % 6 {
        case 0: try request(fields(&input))
        case 1: try response(fields(&input))
        case 2: try timeout(String(decoding: input.remaining(), as: UTF8.self))
        case 3: try percent(input.remaining())
        case 4: try base64(input.remaining())
        default: try metadata(fields(&input))
        }
    }

    /// Names and values, each with its length first; common names have a byte of their own.
    private static func fields(_ input: inout FuzzInput) -> [HTTP2Header] {
        let names = [
            ":method", ":path", ":status", "content-type", "te", "grpc-timeout", "grpc-encoding", "grpc-status", "grpc-message",
            "grpc-status-details-bin", "grpc-accept-encoding", "x-request-id", "a-bin", ":authority", "grpc-new", "",
        ]
        var fields: [HTTP2Header] = []
        while !input.isEmpty, fields.count < 100 {
            let choice = Int(input.byte())
            let name = choice < names.count ? names[choice] : String(decoding: input.counted(), as: UTF8.self)
            fields.append(HTTP2Header(name, String(decoding: input.counted(), as: UTF8.self)))
        }
        return fields
    }

    private static func request(_ fields: [HTTP2Header]) throws {
        var userAgent = RepeatedText()
        var accepted = AcceptedEncodings()
        let batch = HTTP2Batch(fields)
        let head = try? RequestHead(
            0..<fields.count, of: batch, isTruncated: false, methods: HeadsFuzz.methods, userAgent: &userAgent,
            accepted: &accepted)
        guard let head else { return }
        try Finding.unless(!head.metadata.contains { $0.name.hasPrefix("grpc-") }, "metadata with a reserved name")
        if let timeout = head.timeout { try Finding.unless(timeout >= .zero, "a timeout of \(timeout)") }
    }

    private static func response(_ fields: [HTTP2Header]) throws {
        let batch = HTTP2Batch(fields)
        let all = 0..<fields.count
        for head in [
            ResponseHead(first: all, of: batch, endStream: false), ResponseHead(first: all, of: batch, endStream: true),
            ResponseHead(trailers: all, of: batch),
        ] {
            guard case .ended(.failure(let error), _) = head else { continue }
            // A status that one server sent can be passed on by the next.
            let sent = StatusTrailers.failure(RPCError(error.code, error.message, details: error.details), [:])
            guard case .ended(.failure(let again), _) = ResponseHead(trailers: 0..<sent.count, of: HTTP2Batch(sent)) else {
                throw Finding("a failure turned into something else")
            }
            try Finding.unless(again.code == error.code, "\(error.code) turned into \(again.code)")
            try Finding.unless(again.message == error.message, "a message was changed on its way")
            try Finding.unless(again.details == error.details, "details were changed on their way")
        }
    }

    private static func timeout(_ text: String) throws {
        guard let duration = WireTimeout.parse(text) else { return }
        let written = WireTimeout.format(duration)
        guard let again = WireTimeout.parse(written) else { throw Finding("\(written) was written and cannot be read") }
        try Finding.unless(duration <= .zero || again >= duration, "\(text) became \(written), which is shorter")
        try Finding.unless(again <= duration * 1.01 + .seconds(3_600), "\(text) became \(written), which is far longer")
    }

    private static func percent(_ bytes: [UInt8]) throws {
        let text = String(decoding: bytes, as: UTF8.self)
        let written = PercentEncoding.encode(text)
        try Finding.unless(written.utf8.allSatisfy { $0 >= 0x20 && $0 <= 0x7e }, "a status message is not printable")
        try Finding.unless(PercentEncoding.decode(written).utf8.elementsEqual(text.utf8), "text changed on its way")
        _ = PercentEncoding.decode(text)
    }

    private static func base64(_ bytes: [UInt8]) throws {
        let written = Base64.encode(bytes)
        try Finding.unless(Base64.decode(written.utf8) == bytes, "bytes changed on their way")
        guard let read = Base64.decode(bytes) else { return }
        try Finding.unless(Base64.decode(Base64.encode(read).utf8) == read, "bytes changed on their second way")
    }

    private static func metadata(_ fields: [HTTP2Header]) throws {
        var metadata = Metadata()
        for field in fields { metadata.add(field.name, value: field.value) }
        // Spaces around a value are not sent.
        guard metadata.firstProblem == nil, !metadata.contains(where: { $0.value.utf8.first == 0x20 || $0.value.utf8.last == 0x20 }) else { return }
        var sent = [HTTP2Header("grpc-status", "0")]
        StatusTrailers.append(metadata, to: &sent)
        guard case .ended(.success, let received) = ResponseHead(trailers: 0..<sent.count, of: HTTP2Batch(sent)) else { throw Finding("OK was lost") }
        try Finding.unless(received == metadata, "metadata was changed on its way")
    }
}

extension HTTP2Batch {
    fileprivate init(_ headers: [HTTP2Header]) {
        self.init()
        for header in headers {
            unsafe Array(header.name.utf8).withUnsafeBytes { name in
                unsafe Array(header.value.utf8).withUnsafeBytes { value in unsafe addField(name: name, value: value) }
            }
        }
    }
}
