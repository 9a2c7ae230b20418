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

    /// Speaks TLS for a server, and sends the end of each answer in one record of the 16 KiB that it may have, as other servers, and poolers, do.
    /// Prints its port and its process' number.
    private static let relay = """
        import os, select, signal, socket, ssl, sys, threading

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2], sys.argv[3])

        def answer(server):
            data = server.recv(1 << 20)
            while data and select.select([server], [], [], 0.2)[0]:
                more = server.recv(1 << 20)
                if not more: break
                data += more
            return data

        def relay(client):
            client.recv(8)
            client.sendall(b"S")
            client = context.wrap_socket(client, server_side=True)
            server = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
            while True:
                ready = select.select([client, server], [], [])[0]
                if client in ready:
                    data = client.recv(1 << 16)
                    if not data: return
                    server.sendall(data)
                if server in ready:
                    data = answer(server)
                    if not data: return
                    last = max(0, len(data) - 16384)
                    for start in range(0, last, 8192): client.sendall(data[start:min(start + 8192, last)])
                    client.sendall(data[last:])

        listener = socket.create_server(("127.0.0.1", 0))
        child = os.fork()
        if child:
            print(listener.getsockname()[1], child)
            sys.exit()
        # Whoever waits for the other process waits until nobody has what it was given.
        os.closerange(3, listener.fileno())
        os.closerange(listener.fileno() + 1, 4096)
        for descriptor in (0, 1, 2): os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)
        signal.alarm(600)
        while True:
            threading.Thread(target=relay, args=(listener.accept()[0],), daemon=True).start()
        """

    @Test func `takes in answers whose last record is larger than libpq has room for`() async throws {
        try await withCertificates { folder in
            let server = try await PostgresServer.shared
            let printed = try await Command.run(
                "/usr/bin/env", ["python3", "-c", Self.relay, "\(server.port)", "\(folder)/server.crt", "\(folder)/server.key"])
            let words = printed.split { $0.isWhitespace }.map { String($0) }
            try #require(words.count == 2)
            var configuration = server.configuration(database: "postgres")
            configuration.port = try #require(Int(words[0]))
            configuration.tls = .verified(rootCertificate: "\(folder)/ca.crt")
            configuration.connectTimeout = .seconds(60)

            let result: Result<[Int], any Error>
            do {
                result = .success(try await PostgresServer.withClient(configuration) { postgres in
                    var counts: [Int] = []
                    // Of some lengths a row begins in one record and ends in the last.
                    for length in [997, 1_000, 1_013] {
                        let rows = try await postgres.rows(
                            "SELECT repeat('x', \(length)::int4) FROM generate_series(1, 100)", as: Scalar<String>.self, tier: .slow)
                        counts.append(rows.count)
                    }
                    let copied = try await postgres.copy(
                        from: "SELECT repeat('x', 1001) FROM generate_series(1, 100)", as: Scalar<String>.self, tier: .slow
                    ) { rows in
                        var count = 0
                        for try await _ in rows { count += 1 }
                        return count
                    }
                    return counts + [copied]
                })
            } catch {
                result = .failure(error)
            }
            try await Command.run("/bin/kill", [words[1]])

            #expect(try result.get() == [100, 100, 100, 100])
        }
    }
}
