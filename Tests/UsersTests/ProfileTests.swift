internal import Application
internal import Contracts
internal import Foundation
internal import RPC
internal import RecordTestSupport
internal import Testing
internal import Time

@testable internal import Users

@Suite struct `A profile` {
    @Test func `changes in what the request sets and in nothing else`() async throws {
        try await withUsers { users in
            let ada = try await users.newcomer()
            let before = try #require(try await users.service.getProfile(.init(), context: ada).user)

            let after = try #require(
                try await users.service.updateProfile(
                    .init(phone: "+442071234567", avatarUrl: "https://example.org/ada.png"), context: ada
                ).user)

            #expect(after.phone == "+442071234567")
            #expect(after.avatarUrl == "https://example.org/ada.png")
            #expect(after.name == before.name)
            #expect(after.email == before.email)
            #expect(after.version == before.version + 1)
            #expect(try await users.service.getProfile(.init(), context: ada).user == after)
        }
    }

    @Test func `loses what the request empties`() async throws {
        try await withUsers { users in
            let ada = try await users.newcomer()
            _ = try await users.service.updateProfile(
                .init(
                    phone: "+442071234567", avatarUrl: "https://example.org/ada.png", birthDate: "1915-12-10"),
                context: ada)

            let after = try await users.service.updateProfile(
                .init(phone: "", avatarUrl: "", birthDate: ""), context: ada
            ).user

            #expect(after?.phone == nil)
            #expect(after?.avatarUrl == nil)
            #expect(after?.birthDate == nil)
        }
    }

    @Test func `changes in what a mask names, whatever else is set`() async throws {
        try await withUsers { users in
            let ada = try await users.newcomer()
            _ = try await users.service.updateProfile(
                .init(phone: "+442071234567", birthDate: "1915-12-10", timeZone: "Europe/London"), context: ada)

            let after = try #require(
                try await users.service.updateProfile(
                    .init(name: "Ada King", birthDate: "1815-12-10", updateMask: .init(paths: ["name", "phone", "time_zone"])), context: ada
                ).user)

            #expect(after.name == "Ada King" && after.phone == nil && after.timeZone == "UTC")
            #expect(after.birthDate == "1915-12-10")
            await expect(.invalidArgument, fields: ["name"]) {
                try await users.service.updateProfile(.init(phone: "+442071234567", updateMask: .init(paths: ["*"])), context: ada)
            }
            await expect(.invalidArgument, fields: ["update_mask"]) {
                try await users.service.updateProfile(.init(name: "Ada", updateMask: .init(paths: ["name", "email"])), context: ada)
            }
            #expect(try await users.service.getProfile(.init(), context: ada).user == after)
        }
    }

    @Test func `does not change when somebody else changed it since it was read`() async throws {
        try await withUsers { users in
            let ada = try await users.newcomer()
            _ = try await users.service.updateProfile(.init(name: "Ada King", expectedVersion: 1), context: ada)

            await expect(.aborted) {
                try await users.service.updateProfile(.init(name: "Augusta Ada", expectedVersion: 1), context: ada)
            }

            let profile = try await users.service.getProfile(.init(), context: ada).user
            #expect(profile?.name == "Ada King")
            #expect(profile?.version == 2)
        }
    }

    @Test func `keeps its version when a change changes nothing`() async throws {
        try await withUsers { users in
            let ada = try await users.newcomer()

            let same = try await users.service.updateProfile(.init(name: "Ada Lovelace"), context: ada).user
            let none = try await users.service.updateProfile(.init(), context: ada).user

            #expect(same?.version == 1)
            #expect(none?.version == 1)
        }
    }

    /// Its row has changed, and with it `updated_at`.
    @Test func `is the record's after a change of the account's role, too`() async throws {
        try await withUsers { users in
            let ada = try await users.newcomer()
            let id = try ada.caller().userID
            _ = try await users.service.getProfile(.init(), context: ada)
            let accounts = UserRepository(postgres: users.postgres)
            let roles = RolesService(users: accounts, sessions: users.service.sessions, profiles: users.service.profiles)

            _ = try await roles.assignRole(.init(account: .userId(id.text), role: .clinician), context: ada)

            let shown = try await users.service.getProfile(.init(), context: ada).user
            let kept = try await accounts.find(UserID(id))
            #expect(shown == kept.map { UsersV1.User($0) })
        }
    }

    @Test func `counts every one of many changes at once`() async throws {
        try await withUsers { users in
            let ada = try await users.newcomer()

            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        _ = try await users.service.updateProfile(.init(name: "Ada \(number)"), context: ada)
                    }
                }
                try await group.waitForAll()
            }

            #expect(try await users.service.getProfile(.init(), context: ada).user?.version == 9)
        }
    }

    @Test func `takes no value that is not one, and says which`() async throws {
        try await withUsers { users in
            let ada = try await users.newcomer()
            let request = UsersV1.UpdateProfileRequest(
                name: "", phone: "12", avatarUrl: "http://example.org/ada.png", birthDate: "tomorrow",
                sex: .unrecognized(9), timeZone: "", expectedVersion: 0)

            await expect(
                .invalidArgument,
                fields: ["name", "phone", "avatar_url", "birth_date", "sex", "time_zone", "expected_version"]
            ) { try await users.service.updateProfile(request, context: ada) }
        }
    }

    @Test func `is not found when the account is gone`() async throws {
        try await withUsers { users in
            let nobody = context(of: UUID())

            await expect(.notFound) { try await users.service.getProfile(.init(), context: nobody) }
            await expect(.notFound) { try await users.service.updateProfile(.init(name: "X"), context: nobody) }
            await expect(.notFound) {
                try await users.service.giveConsent(.init(kind: .research, documentVersion: "1"), context: nobody)
            }
        }
    }
}
