internal import Contracts
internal import RPC
internal import RecordTestSupport
internal import Testing

@testable internal import Vitals

@Suite struct `The newest readings` {
    private let readings: [VitalsV1.Observation] = [
        .heartRate(3), .heartRate(1), .heartRate(2, minute: 3), .glucose("100"), .bloodPressure("120", "80"),
    ]

    @Test func `are one of each code that the person has, by code`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            let ids = try await vitals.record(readings, as: ada).ids
            try await vitals.record([.heartRate(9)], as: Caller())

            let latest = try await vitals.getLatestObservations(.init(), context: ada.context).observations

            #expect(latest.map(\.code) == ["85354-9", "8867-4", "99504-3"])
            // Of two readings of one instant the one that was kept later counts.
            #expect(latest[1].id == max(ids[0], ids[2]))
            #expect(latest[1].effectiveAt == readings[0].effectiveAt)
            #expect(latest[0].components.count == 2)
        }
    }

    @Test func `are of the codes that were asked for`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            try await vitals.record(readings, as: ada)

            let latest = try await vitals.getLatestObservations(
                .init(codes: ["99504-3", "8310-5", "8867-4", "99504-3"]), context: ada.context
            ).observations

            #expect(latest.map(\.code) == ["8867-4", "99504-3"])
        }
    }

    @Test func `are none for somebody without readings`() async throws {
        try await withVitals { vitals in
            let latest = try await vitals.getLatestObservations(.init(), context: Caller().context).observations

            #expect(latest.isEmpty)
        }
    }

    @Test func `are asked for by LOINC codes, a hundred at most`() async throws {
        try await withVitals { vitals in
            await expect(.invalidArgument, fields: ["codes[1]"]) {
                try await vitals.getLatestObservations(.init(codes: ["8867-4", "pulse"]), context: Caller().context)
            }
            await expect(.invalidArgument, fields: ["codes"]) {
                try await vitals.getLatestObservations(
                    .init(codes: Array(repeating: "8867-4", count: 101)), context: Caller().context)
            }
        }
    }
}
