internal import Application
internal import Contracts
internal import Foundation
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import TestSupport
internal import Testing

@testable internal import Users

@Suite struct `The history of consents` {
    private func give(_ users: UsersStand, _ context: RPCContext, _ kind: UsersV1.ConsentKind, _ document: String) async throws {
        _ = try await users.service.giveConsent(.init(kind: kind, documentVersion: document), context: context)
    }

    private func withdraw(_ users: UsersStand, _ context: RPCContext, _ kind: UsersV1.ConsentKind) async throws {
        _ = try await users.service.withdrawConsent(.init(kind: kind), context: context)
    }

    @Test func `has each change once, the latest first, in pages and by kind`() async throws {
        try await withUsers { users in
            let (ada, bob) = (try await users.newcomer(), try await users.newcomer())
            try await give(users, ada, .research, "1")
            try await give(users, ada, .research, "1")
            try await give(users, ada, .marketing, "m")
            try await withdraw(users, ada, .research)
            try await withdraw(users, ada, .research)
            try await give(users, ada, .research, "2")

            var (all, request) = ([UsersV1.ConsentChange](), UsersV1.ListConsentHistoryRequest(pageSize: 3))
            repeat {
                let page = try await users.service.listConsentHistory(request, context: ada)
                all += page.changes
                request.pageToken = page.nextPageToken
            } while !request.pageToken.isEmpty

            #expect(all.map(\.kind) == [.research, .research, .marketing, .research])
            #expect(all.map(\.granted) == [true, false, true, true])
            #expect(all.map(\.documentVersion) == ["2", "1", "m", "1"])
            #expect(all.map(\.epoch) == [3, 2, 1, 1])
            let research = try await users.service.listConsentHistory(.init(kind: .research), context: ada).changes
            #expect(research == [all[0], all[1], all[3]])
            #expect(try await users.service.listConsents(.init(), context: ada).consents.map(\.epoch).sorted() == [1, 3])
            #expect(try await users.service.listConsentHistory(.init(), context: bob).changes.isEmpty)
            let first = try await users.service.listConsentHistory(.init(pageSize: 1), context: ada)
            await expect(.invalidArgument, fields: ["page_token"]) {
                try await users.service.listConsentHistory(.init(kind: .research, pageSize: 1, pageToken: first.nextPageToken), context: ada)
            }
            await expect(.invalidArgument, fields: ["kind", "page_size"]) {
                try await users.service.listConsentHistory(.init(kind: .unrecognized(99), pageSize: -1), context: ada)
            }
        }
    }

    @Test func `has one change of many at once`() async throws {
        try await withUsers { users in
            let ada = try await users.newcomer()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 { group.addTask { try await give(users, ada, .healthData, "1") } }
                try await group.waitForAll()
            }
            #expect(try await users.service.listConsentHistory(.init(), context: ada).changes.map(\.epoch) == [1])
        }
    }

    @Test(arguments: ["UPDATE users.consent_history SET granted = false", "DELETE FROM users.consent_history"])
    func `cannot be changed by the service's role`(statement: String) async throws {
        try await withUsers { users in
            let ada = try await users.newcomer()
            try await give(users, ada, .research, "1")
            let user = try ada.caller().userID

            let error = await #expect(throws: PostgresError.self) {
                try await users.postgres.transaction(identity: .user(user)) { transaction in
                    try await transaction.execute(script: statement)
                }
            }

            #expect(error?.code == .insufficientPrivilege)
            #expect(try await users.service.listConsentHistory(.init(), context: ada).changes.count == 1)
        }
    }
}
