import RPC
import Testing

@testable import RPC

@Suite struct `A caller's certificate` {
    /// Answers with the program that called.
    private static let whoCalls = MethodHandler.unary(Notes.say) { _, context in
        Note(context.peerIdentity.map { "\($0.trustDomain ?? "no domain")/\($0.program ?? "no program")" } ?? "nobody")
    }

    private func call(showing file: String?, in folder: CertificateFolder) async throws -> Note {
        let files = TLSFiles(
            certificateChain: folder.path("server.pem"), privateKey: folder.path("server.key"),
            trustRoots: folder.path("ca.pem"), callerCertificates: .optional)
        var tls = ClientTLS(trustRoots: folder.path("ca.pem"))
        if let file {
            tls.certificateChain = folder.path("\(file).pem")
            tls.privateKey = folder.path("\(file).key")
        }
        return try await withLoopback([Self.whoCalls], server: { $0.tls = files }, clientTLS: tls) {
            try await $0.channel.unary(Notes.say, "")
        }
    }

    @Test(arguments: [
        ("spiffe://heartguard/users" as String?, "heartguard/users"),
        ("https://heartguard/users", "no domain/no program"),
        (nil, "no domain/no program"),
    ])
    func `tells the handler which program called`(uri: String?, expected: String) async throws {
        try await CertificateFolder.with { folder in
            let authority = try Authority("ca", in: folder.url)
            try authority.sign("server")
            try authority.sign("caller", uri: uri)

            let answer = try await call(showing: "caller", in: folder)

            #expect(answer.text == expected)
        }
    }

    @Test func `may be missing where it is optional, and then nobody is known`() async throws {
        try await CertificateFolder.with { folder in
            try Authority("ca", in: folder.url).sign("server")

            let answer = try await call(showing: nil, in: folder)

            #expect(answer == "nobody")
        }
    }

    @Test func `of another authority keeps its caller out, where a certificate is optional too`() async throws {
        try await CertificateFolder.with { folder in
            try Authority("ca", in: folder.url).sign("server")
            try Authority("stranger", in: folder.url).sign("caller", uri: "spiffe://heartguard/users")

            let error = await #expect(throws: RPCError.self) { try await call(showing: "caller", in: folder) }

            #expect(error?.code == .unavailable)
        }
    }

    @Test(arguments: [
        "spiffe://heartguard", "spiffe://heartguard/", "spiffe:///users", "spiffe://heartguard/users/a",
        "spiffe://heartguard/Users", "spiffe://heartguard/us%65rs", "SPIFFE://heartguard/users",
        "spiffe://heartguard:1/users", "spiffe://heartguard/users?x", "",
    ])
    func `with a URI of another form names no program`(uri: String) {
        #expect(PeerIdentity.parts(of: uri) == nil)
    }
}
