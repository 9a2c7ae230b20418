internal import Application
internal import Contracts
internal import Foundation
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import Testing

@testable internal import Vitals

@Suite struct `A batch of readings` {
    @Test func `is kept as it was sent`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            var sent = VitalsV1.Observation.glucose("5.40")
            sent.utcOffsetMinutes = -330

            let response = try await vitals.record([sent], as: ada)
            let list = try await vitals.listObservations(.init(code: "99504-3"), context: ada.context)

            #expect(response.recordedCount == 1)
            #expect(response.duplicateCount == 0)
            var kept = try #require(list.observations.first)
            #expect(kept.id == response.ids.first)
            #expect(kept.recordedAt != nil)
            #expect(kept.status == .final)
            #expect(kept.version == 1)
            (kept.id, kept.recordedAt, kept.status, kept.version) = ("", nil, .unspecified, 0)
            #expect(kept == sent)
        }
    }

    @Test(arguments: ["0", "-0.5", "36.60", "100", "0.000000001", "123456789012345678901234567890.123456789", "7.0"])
    func `keeps every digit`(value: String) async throws {
        try await withVitals { vitals in
            let ada = Caller()
            try await vitals.record([.glucose(value)], as: ada)

            let list = try await vitals.listObservations(.init(code: "99504-3"), context: ada.context)

            #expect(list.observations.map(\.quantity?.value) == [value])
        }
    }

    @Test func `keeps the two parts of a blood pressure together`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            try await vitals.record([.bloodPressure("120.0", "80")], as: ada)

            let kept = try await vitals.listObservations(.init(code: "85354-9"), context: ada.context).observations

            #expect(kept.first?.quantity == nil)
            #expect(kept.first?.components == VitalsV1.Observation.bloodPressure("120.0", "80").components)
        }
    }

    @Test func `adds nothing when it is sent again, and answers with the same ids`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            let batch = (0..<5).map { VitalsV1.Observation.heartRate($0) }

            let first = try await vitals.record(batch, as: ada)
            let second = try await vitals.record(batch.reversed(), as: ada)

            #expect(first.recordedCount == 5)
            #expect(second.recordedCount == 0)
            #expect(second.duplicateCount == 5)
            #expect(second.ids == first.ids.reversed())
        }
    }

    @Test func `adds what is new of it`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            let first = try await vitals.record([.heartRate(0), .heartRate(1)], as: ada)

            let second = try await vitals.record([.heartRate(1), .heartRate(2), .heartRate(2)], as: ada)

            #expect(second.recordedCount == 1)
            #expect(second.duplicateCount == 2)
            #expect(second.ids[0] == first.ids[1])
            #expect(second.ids[1] == second.ids[2])
        }
    }

    @Test func `leaves what is there as it is, whatever a reading of the same number says`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            try await vitals.record([.glucose("100", sequence: 7)], as: ada)

            let response = try await vitals.record([.glucose("250", sequence: 7)], as: ada)
            let kept = try await vitals.listObservations(.init(code: "99504-3"), context: ada.context).observations

            #expect(response.duplicateCount == 1)
            #expect(kept.map(\.quantity?.value) == ["100"])
        }
    }

    @Test func `tells readings of one number apart by their device or source`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            let watch = try await vitals.registerWatch(for: ada)
            var byWatch = VitalsV1.Observation.heartRate(1)
            byWatch.deviceId = watch

            let response = try await vitals.record(
                [.heartRate(1, source: "manual"), .heartRate(1, source: "app"), byWatch], as: ada)

            #expect(response.recordedCount == 3)
            #expect(Set(response.ids).count == 3)
            #expect(try await vitals.record([byWatch], as: ada).ids == [response.ids[2]])
        }
    }

    @Test func `is kept once by many who send it at the same moment`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            let batch = (0..<50).map { VitalsV1.Observation.heartRate($0) }

            let responses = try await withThrowingTaskGroup(of: VitalsV1.RecordObservationsResponse.self) { group in
                for sender in 0..<8 {
                    group.addTask {
                        let response = try await vitals.record(sender % 2 == 0 ? batch : batch.reversed(), as: ada)
                        var ordered = response
                        if sender % 2 != 0 { ordered.ids.reverse() }
                        return ordered
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }

            #expect(responses.map { Int($0.recordedCount) }.reduce(0, +) == 50)
            #expect(Set(responses.map(\.ids)).count == 1)
        }
    }

    @Test func `is kept only by who holds the person's timeline`() async throws {
        try await withVitals { vitals, postgres in
            let ada = UserID(UUID())
            let batch = try ObservationRepository.Batch(NewObservation.batch(.init(observations: [.heartRate(0)])))
            // Some transaction before has advanced it: that holds nothing any more.
            try await postgres.execute(.advanceTimeline(of: ada, by: 1), identity: .user(ada.uuid))

            let (before, _, behind) = try await postgres.batch(
                .insert(batch, of: ada, if: .holdsTimeline(of: ada)), .advanceTimeline(of: ada, by: 1),
                .insert(batch, of: ada, if: .holdsTimeline(of: ada)), identity: .user(ada.uuid))

            #expect(before.rowsAffected == 0)
            #expect(behind.rowsAffected == 1)
        }
    }

    @Test func `of a thousand is kept`() async throws {
        try await withVitals { vitals in
            let response = try await vitals.record((0..<1_000).map { .heartRate($0) }, as: Caller())

            #expect(response.recordedCount == 1_000)
            #expect(Set(response.ids).count == 1_000)
        }
    }

    @Test func `is kept all or none`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            var wrong = VitalsV1.Observation.heartRate(1)
            wrong.code = "8867-5"

            await expect(.invalidArgument, fields: ["observations[1].code"]) {
                try await vitals.record([.heartRate(0), wrong], as: ada)
            }

            let kept = try await vitals.listObservations(.init(code: "8867-4"), context: ada.context).observations
            #expect(kept.isEmpty)
        }
    }

    @Test func `of a device that is not the caller's, or not there, is not found and not kept`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            let bob = Caller()
            let bobs = try await vitals.registerWatch(for: bob)
            let hers = try await vitals.registerWatch(for: ada)

            for stranger in [bobs, UUID().uuidString] {
                var own = VitalsV1.Observation.heartRate(0)
                own.deviceId = hers
                var foreign = VitalsV1.Observation.heartRate(1)
                foreign.deviceId = stranger
                await expect(.notFound) { try await vitals.record([own, foreign], as: ada) }
            }

            for caller in [ada, bob] {
                let kept = try await vitals.listObservations(.init(code: "8867-4"), context: caller.context)
                #expect(kept.observations.isEmpty)
            }
        }
    }

    @Test func `of a device that is not active any more is not found`() async throws {
        try await withVitals { vitals, postgres in
            let ada = Caller()
            let watch = try await vitals.registerWatch(for: ada)
            try await postgres.execute(
                "UPDATE vitals.user_devices SET is_active = false WHERE user_id = \(ada.id)", identity: .user(ada.id))
            var reading = VitalsV1.Observation.heartRate(0)
            reading.deviceId = watch

            await expect(.notFound) { try await vitals.record([reading], as: ada) }
        }
    }
}
