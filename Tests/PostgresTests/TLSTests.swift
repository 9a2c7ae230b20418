import Foundation
import TestSupport
import Testing
@testable import Postgres

/// A session through TLS, with a server whose certificate an authority of the test's own has issued for 127.0.0.1.
@Suite struct `A session through TLS` {
    /// Two authorities, and certificates of the first for the server and for a client, made by openssl in a folder of the test's.
    private func withCertificates(_ body: (_ folder: String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "heartguard-tls-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer {
            // What is left in the temporary folder does no harm.
            try? FileManager.default.removeItem(atPath: folder)
        }
        // The server reads its key as its own user, and refuses one that others can read.
        let script = """
            cd '\(folder)'
            chmod 755 .
            for name in ca other server client; do openssl ecparam -name prime256v1 -genkey -noout -out $name.key; done
            for name in ca other; do openssl req -x509 -new -key $name.key -subj /CN=$name -days 2 -out $name.crt; done
            openssl req -new -key server.key -subj /CN=server -out server.csr
            printf 'subjectAltName=IP:127.0.0.1\\n' >server.ext
            openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile server.ext -out server.crt
            openssl req -new -key client.key -subj /CN=ada -out client.csr
            openssl x509 -req -in client.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out client.crt
            chmod 644 server.crt ca.crt
            chmod 600 server.key client.key
            if [ "$(id -u)" = 0 ]; then chown postgres server.key; fi
            """
        try await Command.run("/bin/sh", ["-ec", script])
        try await body(folder)
    }

    /// A server that speaks TLS and, to who wants it, without.
    private func withServer(_ body: (_ server: PostgresServer, _ folder: String) async throws -> Void) async throws {
        try await withCertificates { folder in
            let server = try await PostgresServer.start(
                settings: [
                    "ssl=on", "ssl_cert_file=\(folder)/server.crt", "ssl_key_file=\(folder)/server.key", "ssl_ca_file=\(folder)/ca.crt",
                ])
            let result: Result<Void, any Error>
            do {
                result = .success(try await body(server, folder))
            } catch {
                result = .failure(error)
            }
            try await server.end()
            try result.get()
        }
    }

    private static let answer: Query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"

    /// Whether the session is encrypted; throws why there is none.
    private func isEncrypted(_ configuration: PostgresConfiguration) async throws -> Bool? {
        let connection = try await Connection.open(configuration)
        await connection.close()
        return try await PostgresServer.withClient(configuration) { postgres in
            try await postgres.first(Self.answer, as: Scalar<Bool>.self, tier: .slow)?.value
        }
    }

    @Test func `is had with a server whose certificate is the authority's and names the host, and with no other`() async throws {
        try await withServer { server, folder in
            func session(_ tls: PostgresConfiguration.TLS, host: String? = nil) async throws -> Bool? {
                var configuration = server.configuration(database: "postgres")
                configuration.tls = tls
                configuration.host = host ?? server.host
                configuration.connectTimeout = .seconds(60)
                return try await isEncrypted(configuration)
            }

            let (verified, required) = (try await session(.verified(rootCertificate: "\(folder)/ca.crt")), try await session(.required))
            let plain = try await session(.disabled)
            let stranger = await #expect(throws: PostgresError.self) {
                _ = try await session(.verified(rootCertificate: "\(folder)/other.crt"))
            }
            let misnamed = await #expect(throws: PostgresError.self) {
                _ = try await session(.verified(rootCertificate: "\(folder)/ca.crt"), host: "localhost")
            }

            let misnamedAndIssued = try await session(.issuerVerified(rootCertificate: "\(folder)/ca.crt"), host: "localhost")
            let unissued = await #expect(throws: PostgresError.self) {
                _ = try await session(.issuerVerified(rootCertificate: "\(folder)/other.crt"))
            }

            #expect(verified == true && required == true && plain == false && misnamedAndIssued == true)
            #expect(unissued?.code == .connectionFailed)
            #expect(stranger?.code == .connectionFailed && misnamed?.code == .connectionFailed)
        }
    }

    @Test func `shows the client's certificate to a server that asks, and no key that others may read`() async throws {
        try await withServer { server, folder in
            var configuration = server.configuration(database: "postgres")
            configuration.tls = .verified(rootCertificate: "\(folder)/ca.crt")
            configuration.clientCertificate = PostgresConfiguration.ClientCertificate(
                certificate: "\(folder)/client.crt", key: "\(folder)/client.key", tls: configuration.tls)
            configuration.connectTimeout = .seconds(60)

            let name = try await PostgresServer.withClient(configuration) { postgres in
                try await postgres.first(
                    "SELECT client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()", as: Scalar<String>.self, tier: .slow)?.value
            }
            try await Command.run("/bin/chmod", ["644", "\(folder)/client.key"])
            let refusal = await #expect(throws: PostgresError.self) { _ = try await isEncrypted(configuration) }

            #expect(name == "/CN=ada")
            #expect(refusal?.code == .connectionFailed)
        }
    }

    @Test func `is not exchanged for one without, where the server has none`() async throws {
        var configuration = try await PostgresServer.shared.configuration(database: "postgres")
        configuration.tls = .required
        configuration.connectTimeout = .seconds(60)

        let error = await #expect(throws: PostgresError.self) { _ = try await isEncrypted(configuration) }

        #expect(error?.code == .connectionFailed)
    }

    @Test func `carries what is large in both directions, copies, and stops its statements`() async throws {
        try await withServer { server, folder in
            var configuration = server.configuration(database: "postgres")
            configuration.tls = .verified(rootCertificate: "\(folder)/ca.crt")
            try await PostgresServer.withClient(configuration) { postgres in
                let bytes = [UInt8](repeating: 7, count: 20_000_000)
                try await postgres.execute("CREATE TABLE marks (id int8)", tier: .slow)

                let row = try await postgres.first("SELECT \(bytes) AS b", as: Row.self, tier: .batch)
                let written = try await postgres.copy(Array(0..<100_000), into: TableColumns("marks", columns: ["id"]), tier: .batch) {
                    $0.append($1)
                }
                let sum = try await postgres.copy(from: "SELECT id FROM marks", as: Scalar<Int>.self, tier: .batch) { rows in
                    var sum = 0
                    for try await row in rows { sum += row.value }
                    return sum
                }
                let late = await #expect(throws: PostgresError.self) {
                    // Its own limit is off, so the client has to ask the server to stop it.
                    try await postgres.batch(
                        ["SELECT set_config('statement_timeout', '0', true)", "SELECT pg_sleep(60)"],
                        tier: TimeoutTier(limit: .milliseconds(500)))
                }

                #expect(try row?.decode("b", as: [UInt8].self) == bytes)
                #expect(written == 100_000 && sum == 4_999_950_000)
                #expect(late?.code == .statementTimeout)
                #expect(try await postgres.first(Self.answer, as: Scalar<Bool>.self, tier: .slow)?.value == true)
            }
        }
    }
}
