internal import Application
internal import Contracts
internal import RPC
internal import RecordTestSupport
internal import Testing
internal import Time

@testable internal import Vitals

@Suite struct `A list of readings` {
    @Test func `is of one code and one person, newest first`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            try await vitals.record([.heartRate(1), .heartRate(3), .heartRate(2), .glucose("100")], as: ada)
            try await vitals.record([.heartRate(9)], as: Caller())

            let list = try await vitals.listObservations(.init(code: "8867-4"), context: ada.context)

            #expect(list.observations.map(\.sequence) == [3, 2, 1])
            #expect(list.nextPageToken.isEmpty)
        }
    }

    @Test func `begins at the start and ends before the end`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            try await vitals.record((0..<6).map { .heartRate($0) }, as: ada)

            let list = try await vitals.all(
                .init(
                    code: "8867-4", startAt: .init(morning + .seconds(60)), endAt: .init(morning + .seconds(240)),
                    pageSize: 2), as: ada)

            #expect(list.map(\.sequence) == [3, 2, 1])
        }
    }

    @Test func `has every reading once in its pages, of one instant too`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            // Groups of five share an instant.
            try await vitals.record((0..<25).map { .heartRate($0, minute: $0 / 5) }, as: ada)

            let list = try await vitals.all(.init(code: "8867-4", pageSize: 3), as: ada)

            #expect(list.count == 25)
            #expect(Set(list.map(\.id)).count == 25)
            let minutes = list.map { Int($0.sequence) / 5 }
            #expect(minutes == minutes.sorted(by: >))
        }
    }

    @Test func `neither skips nor repeats a reading while new ones arrive`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            try await vitals.record((0..<20).map { .heartRate($0) }, as: ada)
            var arrived = 100

            let list = try await vitals.all(.init(code: "8867-4", pageSize: 4), as: ada) {
                // One newer than all, and one of the very instant where the page ended.
                try await vitals.record([.heartRate(arrived), .heartRate(arrived + 1, minute: 19)], as: ada)
                arrived += 2
            }

            let old = list.map(\.sequence).filter { $0 < 100 }
            #expect(old == (0..<20).reversed().map { Int64($0) })
            #expect(Set(list.map(\.id)).count == list.count)
        }
    }

    @Test func `ends with a page that is full and says so`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            try await vitals.record((0..<4).map { .heartRate($0) }, as: ada)

            let first = try await vitals.listObservations(.init(code: "8867-4", pageSize: 2), context: ada.context)
            let second = try await vitals.listObservations(
                .init(code: "8867-4", pageSize: 2, pageToken: first.nextPageToken), context: ada.context)

            #expect(!first.nextPageToken.isEmpty)
            #expect(second.observations.count == 2)
            #expect(second.nextPageToken.isEmpty)
        }
    }

    @Test func `takes a page's token for the query that it came from and for no other`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            try await vitals.record((0..<4).map { .heartRate($0) }, as: ada)
            let token = try await vitals.listObservations(
                .init(code: "8867-4", pageSize: 2), context: ada.context
            ).nextPageToken

            _ = try await vitals.listObservations(
                .init(code: "8867-4", pageSize: 3, pageToken: token), context: ada.context)
            for request in [
                VitalsV1.ListObservationsRequest(code: "99504-3", pageToken: token),
                .init(code: "8867-4", startAt: .init(morning), pageToken: token),
                .init(code: "8867-4", endAt: .init(morning), pageToken: token),
                .init(code: "8867-4", pageToken: "not a token"),
                .init(code: "8867-4", pageToken: PageToken(["observations", "8867-4"]).text),
            ] {
                await expect(.invalidArgument, fields: ["page_token"]) {
                    try await vitals.listObservations(request, context: ada.context)
                }
            }
        }
    }

    @Test func `cannot be asked for without a code, or for a page or a period that makes no sense`() async throws {
        try await withVitals { vitals in
            let request = VitalsV1.ListObservationsRequest(
                startAt: .init(morning), endAt: .init(morning - .seconds(1)), pageSize: -1)

            await expect(.invalidArgument, fields: ["code", "end_at", "page_size"]) {
                try await vitals.listObservations(request, context: Caller().context)
            }
            await expect(.invalidArgument, fields: ["page_size", "start_at"]) {
                try await vitals.listObservations(
                    .init(code: "8867-4", startAt: .init(seconds: .max), pageSize: -1), context: Caller().context)
            }
        }
    }
}
