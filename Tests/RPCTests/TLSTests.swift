import Logging
import RPC
import Testing

@Suite struct `TLS` {
    private func withCertificates<Result>(
        names: String = "DNS:localhost,IP:127.0.0.1",
        _ body: (Certificates) async throws -> Result
    ) async throws -> Result {
        let certificates = try Certificates(names: names)
        defer { certificates.remove() }
        return try await body(certificates)
    }

    @Test func `lets a client that trusts the server's root make calls`() async throws {
        try await withCertificates { certificates in
            let files = TLSFiles(certificateChain: certificates.path("server.pem"), privateKey: certificates.path("server.key"))
            let trust = ClientTLS(trustRoots: certificates.path("ca.pem"))

            let answer = try await withLoopback([NotesService.echo], server: { $0.tls = files }, clientTLS: trust) {
                try await $0.channel.unary(Notes.say, Note(String(repeating: "secret", count: 50_000)))
            }

            #expect(answer.text.utf8.count == 300_000)
        }
    }

    @Test func `refuses a server with another name than was asked for`() async throws {
        try await withCertificates(names: "DNS:localhost") { certificates in
            let files = TLSFiles(certificateChain: certificates.path("server.pem"), privateKey: certificates.path("server.key"))
            let trust = ClientTLS(trustRoots: certificates.path("ca.pem"), serverName: "somebody.else")

            let error = try await withLoopback([NotesService.echo], server: { $0.tls = files }, clientTLS: trust) { loopback in
                await #expect(throws: RPCError.self) { try await loopback.channel.unary(Notes.say, "a") }
            }

            #expect(error?.code == .unavailable)
        }
    }

    @Test func `lets only clients in that show a certificate when the server names roots`() async throws {
        try await withCertificates { certificates in
            let files = TLSFiles(
                certificateChain: certificates.path("server.pem"),
                privateKey: certificates.path("server.key"),
                trustRoots: certificates.path("ca.pem")
            )
            var shown = ClientTLS(trustRoots: certificates.path("ca.pem"), serverName: "localhost")
            let hidden = shown
            shown.certificateChain = certificates.path("client.pem")
            shown.privateKey = certificates.path("client.key")

            let answer = try await withLoopback([NotesService.echo], server: { $0.tls = files }, clientTLS: shown) {
                try await $0.channel.unary(Notes.say, "a")
            }
            let error = try await withLoopback([NotesService.echo], server: { $0.tls = files }, clientTLS: hidden) { loopback in
                await #expect(throws: RPCError.self) { try await loopback.channel.unary(Notes.say, "a") }
            }

            #expect(answer == "a")
            #expect(error?.code == .unavailable)
        }
    }

    @Test func `is not spoken to a server that does not speak it`() async throws {
        let error = try await withLoopback([NotesService.echo], clientTLS: ClientTLS()) { loopback in
            await #expect(throws: RPCError.self) { try await loopback.channel.unary(Notes.say, "a") }
        }

        #expect(error?.code == .unavailable)
    }

    @Test func `with files that cannot be read fails every call and says so`() async throws {
        let channel = RPCChannel(
            target: ("127.0.0.1", 1),
            tls: ClientTLS(trustRoots: "/nowhere/ca.pem"),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )

        let error = await #expect(throws: RPCError.self) { try await channel.unary(Notes.say, "a") }

        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("TLS files") == true)
        await channel.close()
    }
}
