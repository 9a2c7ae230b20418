import Foundation
import Redis
import TestSupport
import Testing

@Suite struct `A Redis server behind TLS` {
    /// An authority, a certificate of the server's and one of the client's, made by openssl in a folder of the test's.
    struct Certificates {
        let folder: String
        var authority: String { folder + "/ca.crt" }

        static func with<Value>(_ body: (Certificates) async throws -> Value) async throws -> Value {
            let folder = FileManager.default.temporaryDirectory.appending(path: "heartguard-tls-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let certificates = Certificates(folder: folder.path)
            defer {
                // What is left in the temporary folder does no harm.
                try? FileManager.default.removeItem(at: folder)
            }
            try await certificates.make()
            return try await body(certificates)
        }

        private func make() async throws {
            let script = """
                cd '\(folder)'
                key() { openssl ecparam -name prime256v1 -genkey -noout -out $1.key; }
                key ca; openssl req -x509 -new -key ca.key -subj /CN=authority -days 2 -out ca.crt
                for name in server client; do
                  key $name
                  openssl req -new -key $name.key -subj /CN=$name -out $name.csr
                  printf 'subjectAltName=DNS:redis.test\\n' >$name.ext
                  openssl x509 -req -in $name.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 \
                    -extfile $name.ext -out $name.crt
                done
                """
            try await Command.run("/bin/sh", ["-ec", script])
        }

        var serverFlags: [String] {
            [
                "--port", "0", "--tls-port", "PORT", "--tls-ca-cert-file", authority, "--tls-cert-file",
                folder + "/server.crt", "--tls-key-file", folder + "/server.key",
            ]
        }

        var client: RedisTLS {
            RedisTLS(
                trustRoots: authority, certificateChain: folder + "/client.crt", privateKey: folder + "/client.key",
                serverName: "redis.test")
        }
    }

    func ping(_ port: Int, _ tls: RedisTLS?) async throws -> RedisError? {
        let configuration = RedisConfiguration.patient(
            port: port, role: .durable, tls: tls)
        return try await withRedis(configuration) { redis in await failure { try await redis.ping() } }
    }

    @Test func `is spoken to by a client whose certificate it trusts, and only by such`() async throws {
        try await Certificates.with { certificates in
            try await RedisServer.with(certificates.serverFlags) { server in
                let trusted = try await ping(server.port, certificates.client)
                var anonymous = certificates.client
                (anonymous.certificateChain, anonymous.privateKey) = (nil, nil)
                let nameless = try await ping(server.port, anonymous)
                let plain = try await ping(server.port, nil)

                #expect(trusted == nil)
                #expect(nameless?.code == .connectionFailed)
                #expect(plain?.code == .connectionFailed || plain?.code == .protocolViolation)
            }
        }
    }

    @Test func `is left alone if its certificate has another name or another authority`() async throws {
        try await Certificates.with { certificates in
            try await RedisServer.with(certificates.serverFlags) { server in
                var wrongName = certificates.client
                wrongName.serverName = "postgres.test"
                var address = certificates.client
                address.serverName = nil
                var stranger = certificates.client
                stranger.trustRoots = nil

                let misnamed = try await ping(server.port, wrongName)
                let addressed = try await ping(server.port, address)
                let unknown = try await ping(server.port, stranger)

                #expect(misnamed?.code == .connectionFailed)
                #expect(addressed?.code == .connectionFailed)
                #expect(unknown?.code == .connectionFailed)
            }
        }
    }

    @Test func `cannot be reached with files that are not there, and the error says so`() async throws {
        let error = try await ping(1, RedisTLS(trustRoots: "/nowhere/ca.crt"))

        #expect(error?.code == .connectionFailed)
    }
}
