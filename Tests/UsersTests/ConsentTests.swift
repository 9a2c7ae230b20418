internal import Contracts
internal import RPC
internal import RecordTestSupport
internal import Testing

@testable internal import Users

@Suite struct `A consent` {
    @Test func `stands from when it is given`() async throws {
        try await withUsers { users in
            let ada = try await users.newcomer()

            let given = try #require(
                try await users.service.giveConsent(.init(kind: .healthData, documentVersion: "2026-01"), context: ada)
                    .consent)

            #expect(given.granted)
            #expect(given.kind == .healthData)
            #expect(given.documentVersion == "2026-01")
            #expect(given.grantedAt != nil)
            #expect(given.withdrawnAt == nil)
            #expect(given.epoch == 1)
        }
    }

    @Test func `that is given again to the same text does not change`() async throws {
        try await withUsers { users in
            let ada = try await users.newcomer()
            let request = UsersV1.GiveConsentRequest(kind: .research, documentVersion: "1")

            let first = try await users.service.giveConsent(request, context: ada).consent
            let second = try await users.service.giveConsent(request, context: ada).consent

            #expect(first == second)
        }
    }

    @Test func `that is given to a new text, or withdrawn, or given anew begins an epoch each time`() async throws {
        try await withUsers { users in
            let ada = try await users.newcomer()
            func give(_ version: String) async throws -> UsersV1.Consent? {
                try await users.service.giveConsent(.init(kind: .research, documentVersion: version), context: ada).consent
            }

            let first = try await give("1")
            let second = try await give("2")
            let third = try await users.service.withdrawConsent(.init(kind: .research), context: ada).consent
            let fourth = try await give("2")

            #expect([first, second, third, fourth].map { $0?.epoch } == [1, 2, 3, 4])
            #expect([first, second, third, fourth].map { $0?.granted } == [true, true, false, true])
            #expect(third?.withdrawnAt != nil)
            #expect(third?.grantedAt == second?.grantedAt)
            #expect(fourth?.withdrawnAt == nil)
        }
    }

    @Test func `can be withdrawn again and stays as it was`() async throws {
        try await withUsers { users in
            let ada = try await users.newcomer()
            _ = try await users.service.giveConsent(.init(kind: .marketing, documentVersion: "1"), context: ada)

            let first = try await users.service.withdrawConsent(.init(kind: .marketing), context: ada).consent
            let second = try await users.service.withdrawConsent(.init(kind: .marketing), context: ada).consent

            #expect(first == second)
        }
    }

    @Test func `that was never given cannot be withdrawn`() async throws {
        try await withUsers { users in
            let ada = try await users.newcomer()

            await expect(.notFound) {
                try await users.service.withdrawConsent(.init(kind: .careSharing), context: ada)
            }
        }
    }

    @Test func `is listed, given or withdrawn, and nobody else's`() async throws {
        try await withUsers { users in
            let ada = try await users.newcomer()
            let bob = try await users.newcomer()
            _ = try await users.service.giveConsent(.init(kind: .research, documentVersion: "1"), context: ada)
            _ = try await users.service.giveConsent(.init(kind: .aiAnalysis, documentVersion: "1"), context: ada)
            _ = try await users.service.withdrawConsent(.init(kind: .research), context: ada)
            _ = try await users.service.giveConsent(.init(kind: .marketing, documentVersion: "1"), context: bob)

            let listed = try await users.service.listConsents(.init(), context: ada).consents

            #expect(listed.map(\.kind) == [.aiAnalysis, .research])
            #expect(listed.map(\.granted) == [true, false])
        }
    }

    @Test func `needs a kind and the version of a text`() async throws {
        try await withUsers { users in
            let ada = try await users.newcomer()

            await expect(.invalidArgument, fields: ["kind", "document_version"]) {
                try await users.service.giveConsent(.init(), context: ada)
            }
            await expect(.invalidArgument, fields: ["kind"]) {
                try await users.service.withdrawConsent(.init(kind: .unrecognized(99)), context: ada)
            }
        }
    }
}
