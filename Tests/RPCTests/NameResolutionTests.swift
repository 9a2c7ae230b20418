import HTTP2
import Logging
import RPC
import Synchronization
import Testing

/// Where a name leads, as a test has it.
private final class Directory: Sendable {
    struct Unknown: Error {}

    private let ports: Mutex<[Int]>
    let questions = Counter()

    init(_ ports: Int...) { self.ports = Mutex(ports) }

    func set(_ ports: Int...) { self.ports.withLock { $0 = ports } }

    func addresses() throws -> [RPCAddress] {
        questions.increment()
        let ports = ports.withLock { $0 }
        if ports.isEmpty { throw Unknown() }
        return ports.map { RPCAddress(host: "127.0.0.1", port: $0) }
    }
}

@Suite struct `A channel to a name` {
    private func channel(
        _ directory: Directory, name: String = "notes.example", tls: ClientTLS? = nil,
        _ configure: (inout RPCChannelConfiguration) -> Void = { _ in }
    ) -> RPCChannel {
        var configuration = RPCChannelConfiguration()
        configuration.initialBackoff = .milliseconds(5)
        configuration.maxBackoff = .milliseconds(20)
        configuration.minResolutionInterval = .milliseconds(1)
        configuration.lookUp = { _ in try directory.addresses() }
        configure(&configuration)
        return RPCChannel(
            target: (name, 7), tls: tls, configuration: configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func answering(_ text: String) -> MethodHandler { .unary(Notes.say) { _, _ in Note(text) } }

    @Test func `shares its calls out among all addresses of the name`() async throws {
        try await withLoopback([answering("one")]) { one in
            try await withLoopback([self.answering("other")]) { other in
                let channel = self.channel(Directory(one.port, other.port)) {
                    $0.serviceConfig = ServiceConfig(loadBalancing: LoadBalancing(.roundRobin))
                }
                var answers: Set<String> = []
                while answers.count < 2 { answers.insert(try await channel.unary(Notes.say, "a").text) }
                await channel.close()
            }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `is answered by the second address when the first takes connections and is silent`() async throws {
        let answer = try await SilentPeer.serve(saying: []) { silent in
            try await withLoopback([NotesService.echo]) { loopback in
                let channel = self.channel(Directory(silent, loopback.port)) { $0.connectTimeout = .seconds(3_600) }
                let answer = try await channel.unary(Notes.say, "a")
                await channel.close()
                return answer
            }
        }

        #expect(answer == "a")
    }

    @Test func `follows the name when a connection has ended`() async throws {
        let directory = Directory()
        let channel = channel(directory)

        for text in ["one", "other"] {
            try await withLoopback([answering(text)]) { loopback in
                directory.set(loopback.port)
                let answer = try await channel.unary(Notes.say, "a", options: .init(waitForReady: true))
                #expect(answer.text == text)
            }
        }

        await channel.close()
    }

    @Test func `keeps to the addresses that it had when the name is not known any more`() async throws {
        let directory = Directory()
        let channel = channel(directory)
        let port = try await withLoopback([NotesService.echo]) { loopback in
            directory.set(loopback.port)
            _ = try await channel.unary(Notes.say, "a", options: .init(waitForReady: true))
            directory.set()
            return loopback.port
        }
        // The connection has ended, so it is asked for again where the name leads.
        while directory.questions.value < 2 { try await Task.sleep(for: .milliseconds(1)) }

        try await withLoopback([NotesService.echo], server: { $0.port = port }) { _ in
            let answer = try await channel.unary(Notes.say, "b", options: .init(waitForReady: true))
            #expect(answer == "b")
        }

        await channel.close()
    }

    @Test(.timeLimit(.minutes(1)))
    func `fails calls when the name is not looked up in time, and uses an answer that comes late`() async throws {
        let release = Signal()

        try await withLoopback([NotesService.echo]) { loopback in
            let port = loopback.port
            let channel = self.channel(Directory()) {
                $0.resolutionTimeout = .milliseconds(10)
                $0.lookUp = { _ in
                    // It heeds no cancellation, as getaddrinfo(3) does not.
                    await Task { await release.wait() }.value
                    return [RPCAddress(host: "127.0.0.1", port: port)]
                }
            }
            let error = await #expect(throws: RPCError.self) { try await channel.unary(Notes.say, "a") }
            let state = await channel.state()
            release.fire()
            let answer = try await channel.unary(Notes.say, "a", options: .init(waitForReady: true))

            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("the name notes.example was not looked up within") == true)
            if case .transientFailure = state {} else { Issue.record("\(state)") }
            #expect(answer == "a")
            await channel.close()
        }
    }

    @Test func `says so when the name has no address`() async throws {
        let channel = channel(Directory()) { $0.lookUp = { _ in [] } }

        let error = await #expect(throws: RPCError.self) { try await channel.unary(Notes.say, "a") }

        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("the name notes.example has no address") == true)
        await channel.close()
    }

    @Test func `asks nobody where an IP address leads`() async throws {
        let directory = Directory()

        try await withLoopback([NotesService.echo], channel: { $0.lookUp = { _ in try directory.addresses() } }) { loopback in
            _ = try await loopback.channel.unary(Notes.say, "a")
        }

        #expect(directory.questions.value == 0)
    }

    @Test func `verifies the name, whichever address it leads to`() async throws {
        let certificates = try Certificates(names: "DNS:notes.example")
        defer { certificates.remove() }
        let files = TLSFiles(certificateChain: certificates.path("server.pem"), privateKey: certificates.path("server.key"))
        let trust = ClientTLS(trustRoots: certificates.path("ca.pem"))

        try await withLoopback([NotesService.echo], server: { $0.tls = files }) { loopback in
            let right = self.channel(Directory(loopback.port), tls: trust)
            let wrong = self.channel(Directory(loopback.port), name: "others.example", tls: trust)
            let answer = try await right.unary(Notes.say, "a")
            let error = await #expect(throws: RPCError.self) { try await wrong.unary(Notes.say, "a") }

            #expect(answer == "a")
            #expect(error?.code == .unavailable)
            await right.close()
            await wrong.close()
        }
    }

    @Test func `says the name in every request`() async throws {
        let authorities = Record()

        let react: @Sendable (inout HTTP2Session, HTTP2Event, HTTP2Batch) -> Void = { session, event, batch in
            guard case .headers(let stream, let fields, _, _) = event else { return }
            if let authority = batch.headers(fields).first(where: { $0.name == ":authority" }) { authorities.add(authority.value) }
            let headers = [
                HTTP2Header(":status", "200"), HTTP2Header("content-type", "application/grpc"), HTTP2Header("grpc-status", "5"),
            ]
            try? session.sendResponse(headers, on: stream, endStream: true)  // A failure shows as no answer.
        }
        let error = try await RawPeer.serve(react) { port in
            let channel = self.channel(Directory(port))
            let error = await #expect(throws: RPCError.self) { try await channel.unary(Notes.say, "a") }
            await channel.close()
            return error
        }

        #expect(error?.code == .notFound)
        #expect(authorities.all == ["notes.example:7"])
    }
}
