import Contracts
import RPC
import Synchronization
import TestSupport
import Testing
import Time

@testable import Gateway

/// May take a minute.
private let replay = "/v1/alert-rules/7/replay"

/// A Gateway one of whose services answers in a way of the test's, and where its JSON door is.
func withDoor(
    to backend: Backend = .vitals, patience: Duration = .seconds(60),
    _ answer: @escaping @Sendable (MethodDescriptor) async throws -> Void = { _ in },
    _ body: @escaping @Sendable (Gateways, _ port: Int) async throws -> Void
) async throws {
    let port = try FreePort.find()
    try await withService(backend, answer) { service in
        try await withGateways(1, services: [backend: service], ["HEARTGUARD_JSON_PORT": "\(port)"], patience: patience) { gateways in
            try await body(gateways, port)
        }
    }
}

/// The head of a request of somebody who is signed in.
func head(_ line: String, _ fields: [String] = [], of gateways: Gateways) async throws -> String {
    let token = try await gateways.signedIn().metadata["authorization"] ?? ""
    let all = ["\(line) HTTP/1.1", "host: door", "authorization: \(token)"] + fields
    return all.joined(separator: "\r\n") + "\r\n\r\n"
}

@Suite struct `A client of the JSON door that goes away` {
    private typealias Hanging = `A service that hangs`.Hanging

    private enum Ending: Int { case none, atItsDeadline, before }

    @Test func `has its call cancelled`() async throws {
        let hanging = Hanging()
        let ending = Atomic(Ending.none.rawValue)
        try await withDoor { _ in
            do {
                try await hanging.hang()
            } catch {
                let isEarly = Deadline.current.map { $0.remaining > .seconds(1) } ?? false
                ending.store((isEarly ? Ending.before : .atItsDeadline).rawValue, ordering: .relaxed)
                throw error
            }
        } _: { gateways, port in
            let client = try await RawHTTP.connect(to: port)
            try await client.send(try await head("GET \(replay)", of: gateways))
            try await until { hanging.calls == 1 }
            try await client.close()
            try await until { ending.load(ordering: .relaxed) != Ending.none.rawValue }

            #expect(Ending(rawValue: ending.load(ordering: .relaxed)) == .before)
        }
    }

    @Test func `reads that its call was cancelled if it has closed its sending side alone`() async throws {
        let hanging = Hanging()
        try await withDoor { _ in try await hanging.hang() } _: { gateways, port in
            let client = try await RawHTTP.connect(to: port)
            try await client.send(try await head("GET \(replay)", of: gateways))
            try await until { hanging.calls == 1 }
            try await client.closeSending()
            try await until { client.isClosed }

            #expect(client.heard.hasPrefix("HTTP/1.1 499"))
            #expect(client.heard.contains("CANCELLED"))
            try await until { hanging.calls == 0 }
        }
    }

    @Test func `is not told that the parts of its answer failed`() async throws {
        let hanging = Hanging()
        try await withDoor(to: .chat) { method in
            if method.name != "ListSessions" { try await hanging.hang() }
        } _: { gateways, port in
            let client = try await RawHTTP.connect(to: port)
            // It waits for Chat, which a context does not.
            try await client.send(try await head("GET /v1/chats", of: gateways))
            try await until { client.heard.contains("HTTP/1.1 200") }
            let body = #"{"query": "chest pain", "tokenBudget": 100}"#
            try await client.send(try await head("POST /v1/chats/7/context", ["content-length: \(body.utf8.count)"], of: gateways) + body)
            // Its messages and its memories.
            try await until { hanging.calls == 2 }
            try await client.closeSending()
            try await until { client.isClosed }

            #expect(client.heard.contains("HTTP/1.1 499"))
        }
    }

    @Test func `may stay: its connection is kept, and what it has pipelined is answered`() async throws {
        try await withDoor { gateways, port in
            let client = try await RawHTTP.connect(to: port)
            let get = try await head("GET /v1/devices", of: gateways)
            @Sendable func answers() -> Int { client.heard.ranges(of: "HTTP/1.1 200").count }
            try await client.send(get + get)
            try await until { answers() == 2 }
            try await client.send(get)
            try await until { answers() == 3 }

            #expect(!client.isClosed)
            try await client.close()
        }
    }
}

@Suite struct `The JSON door` {
    @Test func `refuses a caller whom nobody knows before the body has come`() async throws {
        try await withDoor { _, port in
            let client = try await RawHTTP.connect(to: port)
            try await client.send(
                "POST /v1/observations HTTP/1.1\r\nhost: door\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n")
            try await until { client.isClosed }

            #expect(client.heard.hasPrefix("HTTP/1.1 401"))
            #expect(client.heard.contains("UNAUTHENTICATED"))
        }
    }

    @Test func `refuses a body that says that it is too large before it has come`() async throws {
        try await withDoor { gateways, port in
            let client = try await RawHTTP.connect(to: port)
            try await client.send(try await head("POST /v1/observations", ["content-length: 4194305"], of: gateways))
            try await until { client.isClosed }

            #expect(client.heard.hasPrefix("HTTP/1.1 413"))
            #expect(client.heard.contains("RESOURCE_EXHAUSTED"))
        }
    }

    @Test func `takes less from somebody whom nobody knows, as the other door does`() async throws {
        try await withDoor { gateways, port in
            let client = try await RawHTTP.connect(to: port)
            try await client.send("POST /v1/sessions HTTP/1.1\r\nhost: door\r\ncontent-length: 65537\r\n\r\n")
            try await until { client.isClosed }

            #expect(client.heard.hasPrefix("HTTP/1.1 413"))

            let logIn = Method<RawMessage, RawMessage>(UsersV1.UsersServiceMethods.logIn.descriptor)
            let error = await #expect(throws: RPCError.self) {
                try await gateways.channels[0].unary(logIn, RawMessage([UInt8](repeating: 0, count: 65_537)))
            }
            #expect(error?.code == .resourceExhausted)
            #expect(error?.detail(GoogleRPC.ErrorInfo.self)?.reason == RPCError.requestTooLargeReason)
        }
    }

    @Test func `takes JSON however its type is spelled`() async throws {
        try await withDoor { gateways, port in
            let client = try await RawHTTP.connect(to: port)
            let fields = ["content-length: 2", "content-type: Application/JSON ;charset=UTF-8"]
            try await client.send(try await head("POST /v1/observations", fields, of: gateways) + "{}")
            try await until { client.heard.contains("HTTP/1.1") || client.isClosed }

            #expect(client.heard.hasPrefix("HTTP/1.1 200"))
            try await client.close()
        }
    }

    @Test func `takes chunks that are none for the caller's mistake`() async throws {
        try await withDoor { gateways, port in
            let client = try await RawHTTP.connect(to: port)
            try await client.send(try await head("POST /v1/observations", ["transfer-encoding: chunked"], of: gateways) + "zz\r\n")
            try await until { client.heard.contains("INVALID_ARGUMENT") || client.isClosed }

            #expect(client.heard.hasPrefix("HTTP/1.1 400"))
            #expect(client.heard.contains("INVALID_ARGUMENT"))
        }
    }

    @Test func `answers HEAD without content, so that the next answer stands where it is looked for`() async throws {
        try await withDoor { _, port in
            for path in ["/healthz", "/.well-known/jwks.json", "/v1/devices", "/nothing"] {
                let client = try await RawHTTP.connect(to: port)
                try await client.send("HEAD \(path) HTTP/1.1\r\nhost: door\r\n\r\nGET /healthz HTTP/1.1\r\nhost: door\r\n\r\n")
                try await until { client.heard.contains("SERVING") || client.isClosed }

                let parts = client.heard.split(separator: "\r\n\r\n")
                #expect(parts.count == 3 && parts[1].hasPrefix("HTTP/1.1"), "HEAD \(path)")
                try await client.close()
            }
        }
    }

    @Test func `ends the calls that run when the program is asked to stop`() async throws {
        let hanging = `A service that hangs`.Hanging()
        try await withDoor { _ in try await hanging.hang() } _: { gateways, port in
            let client = try await RawHTTP.connect(to: port)
            try await client.send(try await head("GET \(replay)", of: gateways))
            try await until { hanging.calls == 1 }
            await gateways.stop()
            try await until { await !RawHTTP.isOpen(port) }
            hanging.end()
            try await until { client.isClosed }

            #expect(client.heard.hasPrefix("HTTP/1.1 200"))
        }
    }
}

@Suite struct `A connection to the JSON door` {
    private static let body = #"{"observations": []}"#

    private static func refused(_ length: Int, _ fields: String = "") -> String {
        "POST /v1/observations HTTP/1.1\r\nhost: door\r\ncontent-length: \(length)\r\n\(fields)\r\n"
    }

    @Test func `hears that a body is wanted where its client asks`() async throws {
        try await withDoor { gateways, port in
            let client = try await RawHTTP.connect(to: port)
            let fields = ["content-length: \(Self.body.utf8.count)", "expect: 100-continue"]
            try await client.send(try await head("POST /v1/observations", fields, of: gateways))
            try await until { client.heard.contains("100 Continue") || client.isClosed }
            try await client.send(Self.body)
            try await until { client.heard.contains("HTTP/1.1 200") || client.isClosed }

            #expect(client.heard.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200"))
            try await client.close()
        }
    }

    @Test(arguments: [(20, "expect: 100-continue\r\n"), (1_000_000, "")])
    func `ends with the refusal of a body that does not come, or not soon`(length: Int, fields: String) async throws {
        try await withDoor { _, port in
            let client = try await RawHTTP.connect(to: port)
            try await client.send(Self.refused(length, fields))
            try await until { client.isClosed }

            #expect(client.heard.hasPrefix("HTTP/1.1 401"))
            #expect(client.heard.contains("connection: close"))
        }
    }

    @Test func `goes on behind the refusal of a small body`() async throws {
        try await withDoor { _, port in
            let client = try await RawHTTP.connect(to: port)
            try await client.send(Self.refused(Self.body.utf8.count))
            try await until { client.heard.contains("UNAUTHENTICATED") || client.isClosed }
            try await client.send(Self.body + "GET /healthz HTTP/1.1\r\nhost: door\r\n\r\n")
            try await until { client.heard.contains("SERVING") || client.isClosed }

            #expect(client.heard.contains("SERVING"))
            try await client.close()
        }
    }

    @Test func `does not take all that comes behind its last answer`() async throws {
        try await withDoor { _, port in
            let client = try await RawHTTP.connect(to: port, goesOnSending: true)
            try await client.send(Self.refused(1_000_000_000))
            try await until { client.heard.contains("UNAUTHENTICATED") }
            let part = String(repeating: "7", count: 1 << 20)

            // Much more than the buffers of both sides hold.
            await #expect(throws: (any Error).self) {
                for _ in 0..<200 { try await client.send(part) }
            }
        }
    }

    @Test func `ends when its client asks for more than it reads`() async throws {
        try await withDoor(patience: .milliseconds(500)) { _, port in
            let client = try await RawHTTP.connect(to: port, reads: false)
            let part = String(repeating: "GET /.well-known/jwks.json HTTP/1.1\r\nhost: door\r\n\r\n", count: 20_000)

            // Much more than the buffers of both sides hold, and its answers are several times as long.
            await #expect(throws: (any Error).self) {
                for _ in 0..<200 { try await client.send(part) }
            }
        }
    }

    @Test(arguments: [
        "GET /healthz HTTP/1.0\r\n",
        "GET /healthz HTTP/1.1\r\nhost: door\r\nconnection: Close\r\n",
        "GET /healthz HTTP/1.1\r\nhost: door\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n",
    ])
    func `ends with the answer to a client that takes no other, or offers another protocol`(head: String) async throws {
        try await withDoor { _, port in
            let client = try await RawHTTP.connect(to: port)
            try await client.send(head + "\r\n")
            try await until { client.isClosed }

            #expect(client.heard.contains("SERVING"))
            #expect(client.heard.contains("connection: close"))
        }
    }
}
