internal import Contracts
internal import Foundation
internal import Passwords
internal import RPC
internal import RecordTestSupport
internal import Testing
internal import Time

@testable internal import Users

@Suite struct `Who registers` {
    @Test func `has an account and is signed in to it`() async throws {
        try await withUsers { users in
            let ada = Person()
            var request = ada.registration
            request.phone = "+4930123456"
            request.birthDate = "1984-02-29"
            request.sex = .female
            request.timeZone = "Europe/Berlin"

            let response = try await users.service.register(request, context: anonymous)
            let user = try #require(response.user)
            let tokens = try #require(response.tokens)
            let profile = try await users.service.getProfile(.init(), context: users.context(tokens))

            #expect(user.email == ada.email)
            #expect(user.name == "Ada Lovelace")
            #expect(user.phone == "+4930123456")
            #expect(user.birthDate == "1984-02-29")
            #expect(user.sex == .female)
            #expect(user.timeZone == "Europe/Berlin")
            #expect(user.version == 1)
            #expect(profile.user == user)
        }
    }

    @Test func `is taken to live by UTC unless a time zone is given`() async throws {
        try await withUsers { users in
            let user = try await users.service.register(Person().registration, context: anonymous).user

            #expect(user?.timeZone == "UTC")
            #expect(user?.sex == .unspecified)
            #expect(user?.phone == nil)
        }
    }

    @Test func `cannot have an address that has an account, however it is written`() async throws {
        try await withUsers { users in
            let ada = Person()
            _ = try await users.register(ada)
            var again = ada.registration
            again.email = "  \(ada.email.uppercased()) "

            await expect(.alreadyExists) { try await users.service.register(again, context: anonymous) }
        }
    }

    @Test func `twice at the same moment has one account`() async throws {
        try await withUsers { users in
            let ada = Person()

            let outcomes = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        do {
                            _ = try await users.register(ada)
                            return true
                        } catch {
                            return false
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }

            #expect(outcomes.count { $0 } == 1)
            _ = try await users.signIn(ada)
        }
    }

    @Test func `is told everything that is wrong at once`() async throws {
        try await withUsers { users in
            let request = UsersV1.RegisterRequest(
                email: "ada", password: "short", name: " ", phone: "0301234", birthDate: "2023-02-29",
                sex: .unrecognized(77), timeZone: "Mars/Olympus")

            await expect(
                .invalidArgument,
                fields: ["email", "password", "name", "phone", "birth_date", "sex", "time_zone"]
            ) { try await users.service.register(request, context: anonymous) }
        }
    }

    @Test func `is told when the password grows too long as its characters are composed`() async throws {
        try await withUsers { users in
            var request = Person().registration
            // One character of four bytes that becomes three of them in Unicode's composed form.
            request.password = String(repeating: "\u{1D15F}", count: 256)

            await expect(.invalidArgument, fields: ["password"]) {
                try await users.service.register(request, context: anonymous)
            }
        }
    }

    @Test func `leaves a hash of the password and nothing that it could be read from`() async throws {
        try await withUsers { users in
            let ada = Person()
            _ = try await users.register(ada)

            let stored = try await UserRepository(postgres: users.postgres).credentials(of: EmailAddress(ada.email))

            let hash = try #require(stored?.passwordHash)
            #expect(hash.hasPrefix("$argon2id$"))
            #expect(try await users.passwords.verify(ada.password, against: hash))
        }
    }
}
