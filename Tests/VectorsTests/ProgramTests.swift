internal import Application
internal import Contracts
internal import Foundation
internal import Logging
internal import RPC
internal import RecordTestSupport
internal import Schema
internal import TestSupport
internal import Testing
internal import Time
internal import Tokens

@testable internal import Vectors

@Suite struct `The program` {
    @Test func `serves once its indexes are built, to operators and users as their tokens say`() async throws {
        try await withVectorsDatabase { database in
            try await database.withReplica { vectors in
                try await vectors.create("notes")
                try await vectors.upsert([.at([1, 0, 0], "a"), .at([0, 1, 0], "b")], in: "notes")
            }

            try await withProgram(over: database) { client, tokens in
                let search = VectorsV1.SearchRequest(collection: "notes", modelId: "test-model", embedding: [0, 1, 0])
                let upsert = VectorsV1.UpsertDocumentsRequest(
                    collection: "notes", modelId: "test-model", documents: [.at([0, 0, 1], "c")])

                let found = try await untilAvailable {
                    try await client.search(search, options: tokens.user)
                }
                #expect(found.matches.map(\.id).first == "b")
                await expect(.permissionDenied) { try await client.upsertDocuments(upsert, options: tokens.user) }
                await expect(.unauthenticated) { try await client.search(search) }

                let position = try await client.upsertDocuments(upsert, options: tokens.operator_).position
                #expect(position == 2)
                await expect(.invalidArgument, fields: ["embedding"]) {
                    try await client.search(
                        .init(collection: "notes", modelId: "test-model", embedding: [0, 1]), options: tokens.user)
                }
            }
        }
    }

    @Test func `takes documents in by streams and gives them out again`() async throws {
        try await withVectorsDatabase { database in
            try await withProgram(over: database) { client, tokens in
                let transfer = VectorsV1.TransferServiceClient(client.channel)
                _ = try await untilAvailable {
                    try await client.createCollection(
                        .init(name: "notes", modelId: "test-model", dimension: 3, metric: .cosine), options: tokens.operator_)
                }
                func send(_ batches: [[VectorsV1.Document]]) async throws -> [Int64] {
                    try await transfer.importDocuments(options: tokens.operator_) { requests, answers in
                        for batch in batches {
                            try await requests.write(.init(collection: "notes", modelId: "test-model", documents: batch))
                        }
                        requests.finish()
                        var counts: [Int64] = []
                        for try await answer in answers { counts.append(answer.acceptedCount) }
                        return counts
                    }
                }
                func receive(
                    after id: String = "", where filter: VectorsV1.Filter? = nil
                ) async throws -> (position: Int64?, documents: [VectorsV1.Document]) {
                    try await transfer.exportDocuments(
                        .init(collection: "notes", afterId: id, where: filter), options: tokens.operator_
                    ) { answers in
                        var position: Int64?
                        var documents: [VectorsV1.Document] = []
                        for try await answer in answers {
                            position = answer.collection?.position ?? position
                            documents += answer.documents
                        }
                        return (position, documents)
                    }
                }
                let documents = (0..<150).map { number in
                    VectorsV1.Document.at(
                        [Float(number), 1, 0], "\(number + 100)", typed: number % 2 == 0 ? ["even": .boolean(true)] : [:])
                }

                #expect(try await send([Array(documents[..<100]), Array(documents[50...])]) == [100, 200])
                await expect(.invalidArgument, fields: ["documents[1].embedding"]) {
                    try await send([[.at([1, 1, 1], "first")], [.at([1, 1, 1], "second"), .at([1], "third")]])
                }
                _ = try await transfer.channel.unary(
                    VectorsV1.VectorsServiceMethods.deleteDocuments, .init(collection: "notes", ids: ["120"]),
                    options: tokens.operator_)

                let all = try await receive()
                #expect(all.documents == documents.filter { $0.id != "120" } + [.at([1, 1, 1], "first")])
                #expect(all.position == 4)
                #expect(try await receive(after: "240").documents.map(\.id) == (241..<250).map(String.init) + ["first"])
                #expect(try await receive(where: .exists("even")).documents.count == 74)
                await expect(.permissionDenied) {
                    try await transfer.exportDocuments(.init(collection: "notes"), options: tokens.user) { answers in
                        for try await _ in answers {}
                    }
                }
            }
        }
    }

    @Test func `that lacks settings names them all`() {
        #expect {
            try VectorsConfiguration(environment: ["HEARTGUARD_VECTORS_SEARCH_THREADS": "many"])
        } throws: { error in
            let problems = (error as? SettingsError)?.problems.joined() ?? ""
            return problems.contains("HEARTGUARD_VECTORS_SEARCH_THREADS") && problems.contains("HEARTGUARD_LISTEN_PORT")
                && problems.contains("HEARTGUARD_POSTGRES_HOST") && problems.contains("HEARTGUARD_TOKEN_JWKS_FILE")
        }
    }

    private struct Tokens {
        let user: CallOptions
        let operator_: CallOptions
    }

    private func withProgram(
        over database: VectorsDatabase, _ body: (VectorsV1.VectorsServiceClient, Tokens) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "heartguard-vectors-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // What is left in the temporary folder does no harm.
        defer { try? FileManager.default.removeItem(at: folder) }
        let signer = try TokenSigner(privateKeyPEM: TokenSigner.newPrivateKeyPEM(), issuer: "heartguard")
        for (name, text) in try [("jwks", signer.jwks), ("password", "not asked for")] {
            try Data(text.utf8).write(to: folder.appending(path: name))
        }

        try await RedisServer.with { durable in
            try await RedisServer.with { cache in
                let configuration = try VectorsConfiguration(environment: [
                    "HEARTGUARD_LISTEN_PORT": "0",
                    "HEARTGUARD_LOG_LEVEL": "critical",
                    "HEARTGUARD_VECTORS_MAPPED_FOLDER": folder.path,
                    "HEARTGUARD_POSTGRES_HOST": database.server.host,
                    "HEARTGUARD_POSTGRES_PORT": "\(database.server.port)",
                    "HEARTGUARD_POSTGRES_DATABASE": database.name,
                    "HEARTGUARD_POSTGRES_PASSWORD_FILE": folder.appending(path: "password").path,
                    "HEARTGUARD_REDIS_DURABLE_HOST": "127.0.0.1",
                    "HEARTGUARD_REDIS_DURABLE_PORT": "\(durable.port)",
                    "HEARTGUARD_REDIS_CACHE_HOST": "127.0.0.1",
                    "HEARTGUARD_REDIS_CACHE_PORT": "\(cache.port)",
                    "HEARTGUARD_TOKEN_JWKS_FILE": folder.appending(path: "jwks").path,
                ])
                let (ports, listening) = AsyncStream.makeStream(of: Int.self)
                let application = try VectorsApplication(configuration)
                async let _: Void = application.run(stopSignals: false) { _, port in listening.yield(port) }
                let port = try #require(await ports.first { _ in true })
                let channel = RPCChannel(target: (host: "127.0.0.1", port: port), logger: Logger(label: "vectors-tests"))
                async let _: Void = channel.run()

                try await body(
                    VectorsV1.VectorsServiceClient(channel),
                    Tokens(user: try await options(.user, signer), operator_: try await options(.operator_, signer)))
            }
        }
    }

    private func options(_ role: AccessClaims.Role, _ signer: TokenSigner) async throws -> CallOptions {
        let token = try await signer.sign(
            AccessClaims(
                subject: UUID(), tokenID: UUID().uuidString, role: role, issuedAt: .now(),
                expiresAt: .now() + .seconds(600), sessionID: UUID()))
        return CallOptions(metadata: ["authorization": "Bearer \(token)"])
    }

    private func untilAvailable<Answer>(_ call: () async throws -> Answer) async throws -> Answer {
        while true {
            do {
                return try await call()
            } catch let error as RPCError where error.code == .unavailable {
                await Task.yield()
            }
        }
    }
}
