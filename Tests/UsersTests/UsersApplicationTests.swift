internal import Application
internal import Contracts
internal import Logging
internal import RPC
internal import RecordTestSupport
internal import Schema
internal import TestSupport
internal import Testing

@testable internal import Users

@Suite struct `The users service` {
    /// Runs the whole program on a free port and lends a client of it.
    private func withProgram(
        _ changes: [String: String] = [:], _ body: (UsersV1.UsersServiceClient) async throws -> Void
    ) async throws {
        let folder = try SettingsFolder()
        let settings = folder.settings.merging(try await storeSettings()) { $1 }.merging(changes) { $1 }
        let application = try UsersApplication(UsersConfiguration(environment: settings), passwords: .quick())
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await application.run(stopSignals: false) { _, number in port.yield(number) } }
            for await number in ports.prefix(1) {
                let channel = RPCChannel(target: (host: "127.0.0.1", port: number), logger: quiet)
                let serving = application.host.health.watch()
                for await status in serving where status == .serving { break }
                try await body(UsersV1.UsersServiceClient(channel))
                await channel.close()
            }
            group.cancelAll()
        }
    }

    @Test func `answers over the wire, and knows its callers by their tokens until they log out`() async throws {
        try await withProgram { client in
            let ada = Person()
            let tokens = try #require(try await client.register(ada.registration).tokens)
            let signedIn = CallOptions(metadata: ["authorization": "Bearer \(tokens.accessToken)"])

            let profile = try await client.getProfile(.init(), options: signedIn)
            _ = try await client.logOut(.init(), options: signedIn)
            let after = await #expect(throws: RPCError.self) {
                try await client.getProfile(.init(), options: signedIn)
            }
            let anonymous = await #expect(throws: RPCError.self) { try await client.getProfile(.init()) }

            #expect(profile.user?.email == ada.email)
            #expect(after?.code == .unauthenticated)
            #expect(anonymous?.code == .unauthenticated)
        }
    }

    @Test func `works behind a pooler that lends sessions by the transaction, also what it reads from replicas`() async throws {
        let server = try await PostgresServer.shared
        let pooler = try await PgBouncer.start(
            before: server, sessions: 2, roles: [ServiceRole.users.roleName], ignoresOptions: false)
        let changes = [
            "HEARTGUARD_POSTGRES_PORT": "\(pooler.port)", "HEARTGUARD_POSTGRES_POOLING": "transaction",
            "HEARTGUARD_POSTGRES_REPLICAS": "127.0.0.1",
        ]
        try await withProgram(changes) { client in
            let people = try await withThrowingTaskGroup(of: (String, String?).self) { group in
                for _ in 0..<16 {
                    group.addTask {
                        let person = Person()
                        let tokens = try #require(try await client.register(person.registration).tokens)
                        let signedIn = CallOptions(metadata: ["authorization": "Bearer \(tokens.accessToken)"])
                        return (person.email, try await client.getProfile(.init(), options: signedIn).user?.email)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }

            #expect(people.count == 16)
            #expect(people.allSatisfy { $0.0 == $0.1 })
        }
        try await pooler.end()
    }

    @Test func `does not serve with the role that owns the tables, and says so`() async throws {
        let folder = try SettingsFolder()
        let settings = folder.settings.merging(try await storeSettings()) { $1 }
            .merging(["HEARTGUARD_POSTGRES_USER": ServiceRole.owner]) { $1 }
        let application = try UsersApplication(UsersConfiguration(environment: settings), passwords: .quick())
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await application.run(stopSignals: false) }
            var refusal: String?
            for await status in application.host.health.watch() {
                guard case .notServing(let reason) = status else { break }
                guard reason.contains("The database role") else { continue }
                refusal = reason
                break
            }
            group.cancelAll()

            #expect(refusal?.contains("heartguard_owner may act as the owner of tables") == true)
        }
    }

    @Test func `tells its caller every field that is wrong, and no more than the caller may know`() async throws {
        try await withProgram { client in
            let invalid = await #expect(throws: RPCError.self) { try await client.register(.init(email: "ada")) }
            let unknown = await #expect(throws: RPCError.self) { try await client.logIn(Person().signIn) }

            #expect(Set(invalid?.violatedFields ?? []) == ["email", "password", "name"])
            #expect(unknown?.code == .unauthenticated)
            #expect(unknown?.message == "The e-mail address or the password is wrong.")
        }
    }
}
