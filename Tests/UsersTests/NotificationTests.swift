internal import Application
internal import Contracts
internal import Foundation
internal import Jobs
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import TestSupport
internal import Testing
internal import Time

@testable internal import Users

private let notificationDatabase = Once<PostgresConfiguration> { try await makeDatabase("users_notification_tests") }

/// One after the other, in a database of their own: a relay takes whatever its outbox has.
@Suite(.serialized, .timeLimit(.minutes(2))) struct `A notification` {
    /// Somebody whose refresh token was used twice, and who has signed in again: the context of that session's calls.
    private static func alarmed(_ users: UsersStand) async throws -> RPCContext {
        let ada = Person()
        let tokens = try await users.register(ada)
        _ = try await users.refresh(tokens)
        for _ in 0..<2 { await expect(.unauthenticated) { try await users.refresh(tokens) } }
        return try await users.context(users.signIn(ada))
    }

    /// Runs relay and worker until the body is done.
    private static func working(_ users: UsersStand, _ body: (JobQueue) async throws -> Void) async throws {
        let notifications = Notifications(postgres: users.postgres)
        let queue = JobQueue(redis: users.durable, name: "arq:queue:users-\(UUID().uuidString)")
        let relay = OutboxRelay(Outbox(postgres: users.postgres, table: "users.outbox"), to: queue, logger: quiet)
        let worker = JobWorker(
            queue, handlers: [notifications.handler], effects: JobEffects(postgres: users.postgres, table: "users.job_effects"), logger: quiet)
        let running = [Task { await relay.run() }, Task { await worker.run() }]
        let result: Result<Void, any Error>
        do { result = .success(try await body(queue)) } catch { result = .failure(error) }
        for task in running { task.cancel() }
        for task in running { await task.value }
        try result.get()
    }

    private static func sent(_ users: UsersStand, _ context: RPCContext) async throws -> [UsersV1.Notification] {
        while true {
            let page = try await users.service.listNotifications(.init(), context: context)
            if !page.notifications.isEmpty { return page.notifications }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// As pages of two have them.
    private static func all(_ users: UsersStand, _ context: RPCContext) async throws -> [UsersV1.Notification] {
        var all: [UsersV1.Notification] = []
        var token = ""
        repeat {
            let page = try await users.service.listNotifications(.init(pageSize: 2, pageToken: token), context: context)
            all += page.notifications
            token = page.nextPageToken
        } while !token.isEmpty
        return all
    }

    @Test func `of a token that was used twice is one, is seen once it is sent, and is marked as read by its person alone`() async throws {
        try await withUsers(in: notificationDatabase) { users in
            let context = try await Self.alarmed(users)
            let stranger = try await users.newcomer()
            #expect(try await users.service.listNotifications(.init(), context: context).notifications.isEmpty)
            try await Self.working(users) { _ in
                let sent = try await Self.sent(users, context)
                let mark = UsersV1.MarkNotificationReadRequest(notificationId: sent[0].id)

                #expect(sent.map(\.kind) == [.security])
                #expect(sent[0].sentAt != nil && sent[0].readAt == nil)
                #expect(try await users.service.listNotifications(.init(), context: stranger).notifications.isEmpty)
                await expect(.notFound) { try await users.service.markNotificationRead(mark, context: stranger) }
                let first = try await users.service.markNotificationRead(mark, context: context)
                let second = try await users.service.markNotificationRead(mark, context: context)
                #expect(first.notification?.readAt != nil)
                #expect(second == first)
                #expect(try await users.service.listNotifications(.init(unreadOnly: true), context: context).notifications.isEmpty)
                #expect(try await users.service.listNotifications(.init(), context: context).notifications == [first.notification])
            }
        }
    }

    @Test func `is sent once, however often its job is run`() async throws {
        try await withUsers(in: notificationDatabase) { users in
            let context = try await Self.alarmed(users)
            let user = try context.caller().userID
            try await Self.working(users) { queue in
                let sent = try await Self.sent(users, context)
                let id = try #require(UUID(uuidString: sent[0].id))
                let again = try await queue.enqueue(Notifications.delivery, .init(notification: id, user: user)).id
                while try await queue.status(of: again) != .unknown { try await Task.sleep(for: .milliseconds(20)) }

                #expect(try await users.service.listNotifications(.init(), context: context).notifications == sent)
                let attempts = try await users.postgres.rows(
                    "SELECT attempts FROM users.notifications WHERE user_id = \(user)", as: Scalar<Int32>.self, identity: .user(user))
                #expect(attempts.map(\.value) == [1])
            }
        }
    }

    @Test func `is listed by when it was sent, however long before it was made`() async throws {
        try await withUsers(in: notificationDatabase) { users in
            let context = try await users.newcomer()
            let user = UserID(try context.caller().userID)
            let now = Instant.now()
            for (title, age) in [("a reminder of long ago", 1), ("an alert", 3), ("news", 2)] {
                try await UserNotificationRepository(postgres: users.postgres).insert(
                    UserNotification(
                        id: UUIDv7.make(), kind: .system, channel: .inApp, title: title, status: .sent, scheduledAt: now,
                        sentAt: now - .seconds(age)),
                    of: user)
            }

            #expect(try await Self.all(users, context).map(\.title) == ["a reminder of long ago", "news", "an alert"])
        }
    }

    @Test func `is there if and only if its cause was committed, and is listed in pages`() async throws {
        try await withUsers(in: notificationDatabase) { users in
            struct Stop: Error {}
            let context = try await users.newcomer()
            let user = UserID(try context.caller().userID)
            let notifications = Notifications(postgres: users.postgres)
            func notification(_ number: Int) -> UserNotification {
                UserNotification(id: UUIDv7.make(), kind: .system, channel: .inApp, title: "\(number)", scheduledAt: .now())
            }
            await #expect(throws: Stop.self) {
                try await users.postgres.transaction(identity: .user(user.uuid)) { transaction in
                    try await notifications.add(notification(0), to: user, in: transaction)
                    throw Stop()
                }
            }
            for number in 1...5 {
                try await users.postgres.transaction(identity: .user(user.uuid)) { transaction in
                    try await notifications.add(notification(number), to: user, in: transaction)
                }
            }
            try await Self.working(users) { _ in
                while try await users.service.listNotifications(.init(), context: context).notifications.count < 5 {
                    try await Task.sleep(for: .milliseconds(20))
                }
                let listed = try await Self.all(users, context)

                #expect(listed.map(\.title).sorted() == ["1", "2", "3", "4", "5"])
                let times = listed.compactMap { $0.sentAt.flatMap { Instant($0) } }
                #expect(times == times.sorted(by: >))
                await expect(.invalidArgument, fields: ["page_size"]) {
                    try await users.service.listNotifications(.init(pageSize: -1), context: context)
                }
                let first = try await users.service.listNotifications(.init(pageSize: 2), context: context).nextPageToken
                for request in [UsersV1.ListNotificationsRequest(pageToken: "x"), .init(pageToken: first, unreadOnly: true)] {
                    await expect(.invalidArgument, fields: ["page_token"]) {
                        try await users.service.listNotifications(request, context: context)
                    }
                }
            }
        }
    }
}
