internal import Application
internal import Contracts
internal import Foundation
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import TestSupport
internal import Testing
internal import Time

@testable internal import Vitals

@Suite struct `What is new of a person` {
    /// Everything behind a position, page by page, as the ids of readings with their versions.
    private func read(_ feed: LiveFeed, _ user: UserID, from start: Int64, until end: Int64) async throws -> [String] {
        var position = start
        var seen: [String] = []
        while position < end {
            let news = try await feed.news(of: user, behind: position)
            for change in news.changes {
                #expect(change.position > position)
                position = change.position
                if case .observation(let reading) = change.event { seen.append("\(reading.id.text) \(reading.version)") }
            }
            position = max(position, news.position)
        }
        return seen
    }

    @Test func `comes once, in the order of the commits, though many write and the pages are small`() async throws {
        try await withVitals { vitals, postgres in
            let ada = Caller()
            let user = UserID(ada.id)
            var feed = LiveFeed(postgres: postgres)
            feed.page = 3
            let small = feed

            // Followed while eight write, each three readings at a time.
            let (seen, sent) = try await withThrowingTaskGroup(of: [String].self) { group in
                for writer in 0..<8 {
                    group.addTask {
                        var ids: [String] = []
                        for batch in 0..<10 {
                            let readings = (0..<3).map { VitalsV1.Observation.heartRate(writer * 100 + batch * 3 + $0) }
                            ids += try await vitals.record(readings, as: ada).ids
                        }
                        return ids
                    }
                }
                var position: Int64 = 0
                var seen: [String] = []
                let end = ContinuousClock.now + .seconds(60)
                while seen.count < 240, .now < end {
                    let news = try await small.news(of: user, behind: position)
                    for case .observation(let reading) in news.changes.map(\.event) { seen.append(reading.id.text) }
                    position = news.position
                }
                return (seen, try await group.reduce(into: []) { $0 += $1 })
            }

            #expect(seen.count == 240)
            #expect(Set(seen) == Set(sent))
        }
    }

    @Test func `is what a reading says last, and nobody else's`() async throws {
        try await withVitals { vitals, postgres in
            let (ada, bob) = (Caller(), Caller())
            let feed = LiveFeed(postgres: postgres)
            let ids = try await vitals.record((0..<5).map { .heartRate($0) }, as: ada).ids
            try await vitals.record([.heartRate(9)], as: bob)
            let start = try await feed.position(of: UserID(ada.id))
            try await vitals.correct(ids[0], to: "90", as: ada)
            try await vitals.correct(ids[0], version: 2, to: "91", as: ada)
            try await vitals.retract(ids[1], as: ada)
            let end = try await feed.position(of: UserID(ada.id))

            #expect(try await read(feed, UserID(ada.id), from: start, until: end) == ["\(ids[0]) 3", "\(ids[1]) 2"])
            #expect(try await read(feed, UserID(ada.id), from: 0, until: end).count == 5)
            #expect(try await feed.position(of: UserID(UUID())) == 0)
        }
    }

    @Test(arguments: ["", "x", "bGl2ZQ", PageToken(["live", "-1"]).text, PageToken(["alerts", "1"]).text])
    func `goes on with a token of its own alone`(text: String) {
        #expect(throws: RPCError.self) { try ResumeToken(parsing: text) }
        #expect((try? ResumeToken(parsing: ResumeToken(position: 7).text)) == ResumeToken(position: 7))
    }

    @Test func `is not waited for at a place that the person's timeline has not come to`() async throws {
        try await withVitals { vitals, postgres in
            let (ada, bob) = (Caller(), Caller())
            let live = LiveService(feed: LiveFeed(postgres: postgres))
            try await vitals.record((0..<5).map { .heartRate($0) }, as: ada)
            let token = ResumeToken(position: try await live.feed.position(of: UserID(ada.id))).text

            #expect(try await live.start(token, of: UserID(ada.id)) == 5)
            #expect(try await live.start("", of: UserID(bob.id)) == 0)
            await expect(.invalidArgument, fields: ["resume_token"]) { try await live.start(token, of: UserID(bob.id)) }
        }
    }
}
