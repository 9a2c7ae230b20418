import HTTP2

/// A client and a server session that hand their bytes to each other, in memory.
struct SessionPair: ~Copyable {
    var client: HTTP2Session
    var server: HTTP2Session

    init(client: HTTP2Settings = HTTP2Settings(), server: HTTP2Settings = HTTP2Settings()) throws {
        let asking = try HTTP2Session(role: .client, settings: client)
        let answering = try HTTP2Session(role: .server, settings: server)
        self.client = asking
        self.server = answering
    }

    /// What both sides learned while bytes went to and fro until neither had any left.
    struct Learned {
        var client: [HTTP2Event] = []
        var server: [HTTP2Event] = []
        var clientBody: [UInt8] = []
        var serverBody: [UInt8] = []
        var clientHeaders: [Headers] = []
        var serverHeaders: [Headers] = []
    }

    mutating func exchange() throws -> Learned {
        var learned = Learned()
        var batch = HTTP2Batch()
        var isMoving = true
        while isMoving {
            isMoving = false
            let toServer = try SessionPair.output(of: &client)
            let toClient = try SessionPair.output(of: &server)
            if !toServer.isEmpty { try server.receive(toServer) }
            if !toClient.isEmpty { try client.receive(toClient) }
            isMoving = !toServer.isEmpty || !toClient.isEmpty
            client.exchange(&batch)
            learned.client += batch.events
            learned.clientBody += batch.body
            learned.clientHeaders += Headers.all(in: batch)
            server.exchange(&batch)
            learned.server += batch.events
            learned.serverBody += batch.body
            learned.serverHeaders += Headers.all(in: batch)
        }
        return learned
    }

    static func output(of session: inout HTTP2Session) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let more = try session.nextOutput({ span in unsafe span.withUnsafeBytes { unsafe [UInt8]($0) } }) {
            bytes += more
        }
        return bytes
    }
}

/// A block of headers, out of its batch.
struct Headers: Equatable {
    let stream: HTTP2StreamID
    let fields: [HTTP2Header]
    let endStream: Bool
    let isTruncated: Bool

    init(_ stream: HTTP2StreamID, _ fields: [HTTP2Header], endStream: Bool, isTruncated: Bool = false) {
        self.stream = stream
        self.fields = fields
        self.endStream = endStream
        self.isTruncated = isTruncated
    }

    static func all(in batch: HTTP2Batch) -> [Headers] {
        batch.events.compactMap { event in
            guard case .headers(let stream, let fields, let endStream, let isTruncated) = event else { return nil }
            return Headers(stream, batch.headers(fields), endStream: endStream, isTruncated: isTruncated)
        }
    }
}

extension HTTP2Session {
    mutating func receive(_ bytes: [UInt8]) throws(HTTP2Error) {
        unsafe try receive(bytes.span.bytes)
    }
}

extension [HTTP2Header] {
    static let request: [HTTP2Header] = [
        HTTP2Header(":method", "POST"), HTTP2Header(":scheme", "http"), HTTP2Header(":path", "/a"),
        HTTP2Header(":authority", "test"),
    ]
    static let response: [HTTP2Header] = [HTTP2Header(":status", "200")]
}
