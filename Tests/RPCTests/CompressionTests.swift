import Gzip
import HTTP2
import Logging
import RPC
import Synchronization
import Testing

/// gRPC's compression.md, on both sides.
@Suite struct `Compression of messages` {
    private static let long = Note(String(repeating: "lub-dub ", count: 5_000))

    /// Answers with whether the request was compressed, at a length that is worth compressing.
    private static func say(_ note: Note, _ context: RPCContext) -> Note {
        Note((context.requestWasCompressed ? "compressed " : "plain ") + long.text)
    }

    @Test func `is not used by anybody who is not asked`() async throws {
        let answer = try await withLoopback([.unary(Notes.say, Self.say)]) {
            try await $0.channel.unaryResponse(Notes.say, Self.long)
        }

        #expect(answer.message.text.hasPrefix("plain"))
        #expect(!answer.wasCompressed)
    }

    @Test func `of a request is the caller's choice`() async throws {
        let answer = try await withLoopback([.unary(Notes.say, Self.say)]) {
            try await $0.channel.unaryResponse(Notes.say, Self.long, options: .init(encoding: .gzip))
        }

        #expect(answer.message.text.hasPrefix("compressed"))
        #expect(!answer.wasCompressed)
    }

    @Test func `of a response is the handler's choice`() async throws {
        let handler = MethodHandler.unary(Notes.say) { note, context in
            context.compressResponse()
            return note
        }

        let answer = try await withLoopback([handler]) { try await $0.channel.unaryResponse(Notes.say, Self.long) }

        #expect(answer.message == Self.long)
        #expect(answer.wasCompressed)
    }

    @Test func `of a stream is chosen for each of its messages`() async throws {
        let list = MethodHandler.serverStreaming(Notes.list) { note, responses, context in
            context.compressResponse()
            try await responses.write(note)
            try await responses.write(note, compressed: false)
            try await responses.write(note, compressed: true)
        }
        let chat = MethodHandler.bidirectional(Notes.chat) { requests, responses, _ in
            for try await request in requests.framed {
                try await responses.write(Note("\(request.wasCompressed)"))
            }
        }

        let (answers, requests) = try await withLoopback([list, chat]) { loopback in
            let answers = try await loopback.channel.serverStreaming(Notes.list, Self.long) { responses in
                try await responses.framed.reduce(into: []) { $0.append($1.wasCompressed) }
            }
            let requests = try await loopback.channel.bidirectional(Notes.chat, options: .init(encoding: .gzip)) {
                requests, responses in
                try await requests.write(Self.long)
                try await requests.write(Self.long, compressed: false)
                requests.finish()
                return try await responses.reduce(into: []) { $0.append($1.text) }
            }
            return (answers, requests)
        }

        #expect(answers == [true, false, true])
        #expect(requests == ["true", "false"])
    }

    @Test func `that the head did not announce does not follow`() async throws {
        let list = MethodHandler.serverStreaming(Notes.list) { note, responses, context in
            try await responses.write(note)
            context.compressResponse()
            try await responses.write(note)
            try await responses.write(note, compressed: true)
        }

        let answers = try await withLoopback([list]) {
            try await $0.channel.serverStreaming(Notes.list, Self.long) { responses in
                try await responses.framed.reduce(into: []) { $0.append($1.wasCompressed) }
            }
        }

        #expect(answers == [false, false, false])
    }

    @Test(arguments: [
        (nil, false), ("identity", false), ("deflate", false), ("gzip", true), ("identity, deflate , gzip", true),
        ("xgzip,gzipx", false),
    ] as [(String?, Bool)])
    func `of a response depends on what the caller says it reads`(accepted: String?, isCompressed: Bool) async throws {
        let handler = MethodHandler.unary(Notes.say) { _, context in
            context.compressResponse()
            return Self.long
        }
        let headers = [HTTP2Header].call("Say", accepted.map { ["grpc-accept-encoding": $0] } ?? [:])

        let heard = try await withLoopback([handler]) {
            try await RawPeer.ask(port: $0.port, headers, body: [0, 0, 0, 0, 0])
        }

        #expect(heard.header("grpc-status") == "0")
        #expect(heard.header("grpc-encoding") == (isCompressed ? "gzip" : nil))
        #expect(heard.header("grpc-accept-encoding") == (accepted == nil ? nil : "identity,gzip"))
    }

    @Test func `of a bomb costs its receiver no more than the limit`() async throws {
        // 64 MiB of zeros in 64 kB; the limit for a request is 1 MiB.
        let bomb = try Gzip.compress([UInt8](repeating: 0, count: 64 << 20)[...])
        let frame: [UInt8] = [1] + (0..<4).map { UInt8(truncatingIfNeeded: bomb.count >> (24 - 8 * $0)) } + bomb

        let heard = try await withLoopback([NotesService.echo], server: { $0.maxReceiveMessageBytes = 1 << 20 }) {
            try await RawPeer.ask(port: $0.port, .call("Say", ["grpc-encoding": "gzip"]), body: frame)
        }

        #expect(heard.header("grpc-status") == "8")
    }

    @Test(arguments: [[1, 0, 0, 0, 0], [1, 0, 0, 0, 3, 1, 2, 3]] as [[UInt8]])
    func `of what is damaged is INTERNAL`(frame: [UInt8]) async throws {
        let heard = try await withLoopback([NotesService.echo]) {
            try await RawPeer.ask(port: $0.port, .call("Say", ["grpc-encoding": "gzip"]), body: frame)
        }

        #expect(heard.header("grpc-status") == "13")
    }

    /// What a channel's calls end with, one after the other, at a server that reacts as told.
    private func ask(
        times: Int,
        _ react: @escaping @Sendable (inout HTTP2Session, HTTP2Event, HTTP2Batch) -> Void
    ) async throws -> [RPCError] {
        try await RawPeer.serve(react) { port in
            let channel = RPCChannel(target: ("127.0.0.1", port), logger: .init(label: "test") { _ in SwiftLogNoOpLogHandler() })
            var errors: [RPCError] = []
            for _ in 0..<times {
                do throws(RPCError) {
                    _ = try await channel.unary(Notes.say, Self.long, options: .init(encoding: .gzip))
                } catch { errors.append(error) }
            }
            await channel.close()
            return errors
        }
    }

    @Test func `with an encoding that a client does not read is INTERNAL`() async throws {
        let errors = try await ask(times: 1) { session, event, _ in
            guard case .headers(let stream, _, _, _) = event else { return }
            let headers = [
                HTTP2Header(":status", "200"), HTTP2Header("content-type", "application/grpc"),
                HTTP2Header("grpc-encoding", "br"),
            ]
            try? session.sendResponse(headers, on: stream, endStream: false)  // A failure shows as no answer.
        }

        #expect(errors.map(\.code) == [.internalError])
        #expect(errors.first?.message.contains("br") == true)
    }

    @Test func `of requests stops when the server says that it reads none`() async throws {
        let encodings = Mutex<[String?]>([])

        let errors = try await ask(times: 2) { session, event, batch in
            guard case .headers(let stream, let fields, _, _) = event else { return }
            let encoding = batch.headers(fields).first { $0.name == "grpc-encoding" }?.value
            encodings.withLock { $0.append(encoding) }
            let answer = [
                HTTP2Header(":status", "200"), HTTP2Header("content-type", "application/grpc"),
                HTTP2Header("grpc-status", encoding == nil ? "9" : "12"),
                HTTP2Header("grpc-accept-encoding", "identity,deflate"),
            ]
            try? session.sendResponse(answer, on: stream, endStream: true)  // A failure shows as no answer.
        }

        #expect(errors.map(\.code) == [.unimplemented, .failedPrecondition])
        #expect(encodings.withLock { $0 } == ["gzip", nil])
    }
}
