import ConnectionPool
import Logging
import TestSupport
import Testing
@testable import Postgres

@Suite struct `A mailbox of notifications` {
    private func notification(_ number: Int) -> Notification {
        Notification(channel: "a", payload: "\(number)", processID: 1)
    }

    @Test func `gives what came, in order`() async {
        let mailbox = Mailbox(capacity: 4)
        for number in 0..<3 { mailbox.put(notification(number)) }
        mailbox.end()

        for number in 0..<3 {
            let item = await mailbox.next()
            #expect(item == .notification(notification(number)))
        }
        let end = await mailbox.next()
        #expect(end == .broken)
    }

    @Test func `tells that it could not hold everything, and goes on`() async {
        let mailbox = Mailbox(capacity: 2)
        for number in 0..<4 { mailbox.put(notification(number)) }

        let gap = await mailbox.next()
        let next = await mailbox.next()

        #expect(gap == .overflow)
        #expect(next == .notification(notification(3)))
    }

    @Test func `keeps no more than twice what it holds for a reader who is never done`() async {
        let mailbox = Mailbox(capacity: 4)
        mailbox.put(notification(0))
        var mostKept = 0

        for number in 1...1_000 {
            mailbox.put(notification(number))
            let item = await mailbox.next()
            #expect(item == .notification(notification(number - 1)))
            mostKept = max(mostKept, mailbox.keptCount)
        }

        #expect(mostKept <= 8)
    }

    @Test func `lets a cancelled reader go`() async {
        let mailbox = Mailbox(capacity: 2)
        let reader = Task { await mailbox.next() }

        reader.cancel()

        let item = await reader.value
        #expect(item == .cancelled)
    }
}

@Suite struct `A listener` {
    private func listener(_ configuration: PostgresConfiguration) -> PostgresListener {
        var configuration = configuration
        configuration.applicationName = "heartguard-listener"
        configuration.pool.initialBackoff = .milliseconds(10)
        configuration.pool.maximumBackoff = .milliseconds(50)
        return PostgresListener(
            configuration: configuration, channels: ["vitals", "odd \" name"], logger: Logger(label: "listener-tests")
        )
    }

    @Test func `hears what is committed on its channels`() async throws {
        let server = try await PostgresServer.shared
        try await server.withDatabase { configuration in
            try await PostgresServer.withClient(configuration) { postgres in
                let heard = try await listener(configuration).withEvents { events in
                    var heard: [String] = []
                    for await event in events {
                        switch event {
                        case .listening(let afterGap):
                            #expect(!afterGap)
                            try await postgres.execute("SELECT pg_notify('vitals', 'one'), pg_notify('other', 'two')")
                            struct Undone: Error {}
                            try? await postgres.transaction { transaction in
                                try await transaction.execute("SELECT pg_notify('vitals', 'undone')")
                                throw Undone()
                            }
                            try await postgres.execute("SELECT pg_notify(\("odd \" name"), 'three')")
                        case .notification(let notification):
                            heard.append("\(notification.channel): \(notification.payload)")
                        }
                        if heard.count == 2 { break }
                    }
                    return heard
                }

                #expect(heard == ["vitals: one", "odd \" name: three"])
            }
        }
    }

    @Test func `connects again, and tells the gap`() async throws {
        let server = try await PostgresServer.shared
        try await server.withDatabase { configuration in
            try await PostgresServer.withClient(configuration) { postgres in
                let gaps = try await listener(configuration).withEvents { events in
                    var gaps: [Bool] = []
                    for await event in events {
                        switch event {
                        case .listening(let afterGap):
                            gaps.append(afterGap)
                            try await postgres.execute("SELECT pg_notify('vitals', \("\(gaps.count)"))")
                        case .notification(let notification):
                            #expect(notification.payload == "\(gaps.count)")
                            if gaps.count == 3 { return gaps }
                            let database = configuration.database
                            try await postgres.execute("""
                                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                                WHERE application_name = 'heartguard-listener' AND datname = \(database)
                                """)
                        }
                    }
                    return gaps
                }

                #expect(gaps == [false, true, true])
            }
        }
    }

    @Test func `waits for a server that is not there, and ends with its task`() async throws {
        let server = try await PostgresServer.shared
        var configuration = server.configuration(database: "no_such_database")
        configuration.connectTimeout = .seconds(1)
        let listener = listener(configuration)
        let reading = Task {
            await listener.withEvents { events in
                var count = 0
                for await _ in events { count += 1 }
                return count
            }
        }

        try await Task.sleep(for: .milliseconds(100))
        reading.cancel()

        let count = await reading.value
        #expect(count == 0)
    }

    @Test func `leaves no session behind`() async throws {
        let server = try await PostgresServer.shared
        try await server.withDatabase { configuration in
            await listener(configuration).withEvents { events in
                for await _ in events { break }
            }

            while try await server.psql("""
                SELECT count(*) FROM pg_stat_activity
                WHERE application_name = 'heartguard-listener' AND datname = '\(configuration.database)'
                """) != "0" {}
        }
    }
}
