internal import Application
internal import Contracts
internal import Foundation
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import Testing

@testable internal import Users

@Suite struct `The inbox of notifications` {
    private static func alert(for user: UUID, key: String = "alert:1") -> UsersV1.PutNotificationRequest {
        .init(userId: user.uuidString, kind: .healthAlert, title: "Fast", body: "130 /min", dedupeKey: key)
    }

    private static func put(_ request: UsersV1.PutNotificationRequest, _ users: UsersStand) async throws -> Bool {
        let context = RPCContext(method: UsersV1.NotificationInboxServiceMethods.putNotification.descriptor)
        let inbox = NotificationInbox(notifications: Notifications(postgres: users.postgres))
        return try await inbox.putNotification(request, context: context).added
    }

    @Test func `takes what is to be told once, whoever says it at the same moment`() async throws {
        try await withUsers { users in
            let ada = try await users.newcomer().caller().userID

            let added = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<6 { group.addTask { try await Self.put(Self.alert(for: ada), users) } }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }

            #expect(added == 1)
            #expect(try await Self.put(Self.alert(for: ada, key: "alert:2"), users))
        }
    }

    @Test func `takes nothing for nobody, and nothing that makes no sense`() async throws {
        try await withUsers { users in
            await expect(.failedPrecondition) { try await Self.put(Self.alert(for: UUID()), users) }
            await expect(.invalidArgument, fields: ["user_id", "kind", "title", "dedupe_key"]) {
                try await Self.put(.init(userId: "x", kind: .security), users)
            }
        }
    }
}
