internal import Contracts
internal import Foundation
internal import RPC
internal import RecordTestSupport
internal import TestSupport
internal import Testing
internal import Time

@testable internal import Vitals

extension VitalsService {
    /// Has a reading say another value.
    @discardableResult
    func correct(
        _ id: String, version: Int64 = 1, to value: String, at minute: Int? = nil, saying reason: String = "", as caller: Caller
    ) async throws -> VitalsV1.Observation {
        let request = VitalsV1.CorrectObservationRequest(
            observationId: id, expectedVersion: version, quantity: .init(value: value, unit: "/min"),
            effectiveAt: minute.map { .init(morning + .seconds(60 * $0)) }, reason: reason)
        return try #require(try await correctObservation(request, context: caller.context).observation)
    }

    @discardableResult
    func retract(_ id: String, version: Int64 = 1, as caller: Caller) async throws -> VitalsV1.Observation {
        let request = VitalsV1.RetractObservationRequest(observationId: id, expectedVersion: version, reason: "Not mine.")
        return try #require(try await retractObservation(request, context: caller.context).observation)
    }

    fileprivate func values(_ caller: Caller) async throws -> [String?] {
        try await all(.init(code: "8867-4"), as: caller).map(\.quantity?.value)
    }

    fileprivate func history(_ id: String, _ caller: Caller) async throws -> [VitalsV1.ObservationVersion] {
        try await listObservationHistory(.init(observationId: id), context: caller.context).versions
    }
}

@Suite struct `A reading that was corrected` {
    @Test func `says what is right everywhere, and what it said in its history`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            let id = try await vitals.record([.heartRate(1), .heartRate(2)], as: ada).ids[1]

            let corrected = try await vitals.correct(id, to: "71.50", saying: "Misread.", as: ada)

            #expect(corrected.status == .corrected)
            #expect(corrected.version == 2)
            #expect(try await vitals.values(ada) == ["71.50", "61"])
            #expect(try await vitals.getLatestObservations(.init(), context: ada.context).observations == [corrected])
            let history = try await vitals.history(id, ada)
            #expect(history.map(\.observation?.quantity?.value) == ["62", "71.50"])
            #expect(history.map(\.observation?.status) == [.final, .corrected])
            #expect(history.map(\.reason) == ["", "Misread."])
        }
    }

    @Test func `is not what it was again when its device sends it again`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            let id = try await vitals.record([.heartRate(1)], as: ada).ids[0]
            try await vitals.correct(id, to: "90", as: ada)

            let again = try await vitals.record([.heartRate(1)], as: ada)

            #expect(again.recordedCount == 0)
            #expect(again.ids == [id])
            #expect(try await vitals.values(ada) == ["90"])
        }
    }

    @Test func `may be another time, and is listed there`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            let ids = try await vitals.record((1...3).map { .heartRate($0) }, as: ada).ids

            try await vitals.correct(ids[2], to: "63", at: 0, as: ada)

            #expect(try await vitals.values(ada) == ["62", "61", "63"])
            #expect(try await vitals.getLatestObservations(.init(), context: ada.context).observations.map(\.quantity?.value) == ["62"])
        }
    }

    @Test func `is corrected once by a call that is made again, and not by who knows an older version`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            let id = try await vitals.record([.heartRate(1)], as: ada).ids[0]
            let first = try await vitals.correct(id, to: "90", saying: "Twice.", as: ada)

            #expect(try await vitals.correct(id, to: "90", saying: "Twice.", as: ada) == first)
            await expect(.aborted) { try await vitals.correct(id, to: "91", as: ada) }
            await expect(.aborted) { try await vitals.correct(id, version: 3, to: "91", as: ada) }
            try await vitals.correct(id, version: 2, to: "92", as: ada)
            await expect(.aborted) { try await vitals.correct(id, to: "90", saying: "Twice.", as: ada) }

            #expect(try await vitals.history(id, ada).map(\.observation?.quantity?.value) == ["61", "90", "92"])
        }
    }

    @Test func `has its history in pages, also while it is corrected`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            let ids = try await vitals.record([.heartRate(1), .heartRate(2)], as: ada).ids
            for version in 1...4 { try await vitals.correct(ids[0], version: Int64(version), to: "\(90 + version)", as: ada) }
            var request = VitalsV1.ListObservationHistoryRequest(observationId: ids[0], pageSize: 2)
            var values: [String?] = []
            repeat {
                let page = try await vitals.listObservationHistory(request, context: ada.context)
                values += page.versions.map(\.observation?.quantity?.value)
                if request.pageToken.isEmpty { try await vitals.correct(ids[0], version: 5, to: "95", as: ada) }
                request.pageToken = page.nextPageToken
            } while !request.pageToken.isEmpty

            #expect(values == ["61", "91", "92", "93", "94", "95"])
            let token = try await vitals.listObservationHistory(
                .init(observationId: ids[0], pageSize: 1), context: ada.context
            ).nextPageToken
            await expect(.invalidArgument, fields: ["page_token"]) {
                try await vitals.listObservationHistory(.init(observationId: ids[1], pageToken: token), context: ada.context)
            }
            await expect(.invalidArgument, fields: ["page_size"]) {
                try await vitals.listObservationHistory(.init(observationId: ids[0], pageSize: -1), context: ada.context)
            }
        }
    }

    @Test func `is corrected by one of those who try at the same moment`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            let id = try await vitals.record([.heartRate(1)], as: ada).ids[0]

            let made = await withTaskGroup(of: Bool.self) { group in
                for value in 0..<8 {
                    group.addTask { (try? await vitals.correct(id, to: "\(100 + value)", as: ada)) != nil }
                }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }

            #expect(made == 1)
            #expect(try await vitals.history(id, ada).count == 2)
        }
    }

    @Test func `keeps the rules of its code`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            let ids = try await vitals.record([.heartRate(1), .bloodPressure("120", "80")], as: ada).ids
            func correct(_ id: String, _ quantity: VitalsV1.Quantity?, _ components: [VitalsV1.Component] = []) async throws -> VitalsV1.CorrectObservationResponse {
                try await vitals.correctObservation(
                    .init(observationId: id, expectedVersion: 1, quantity: quantity, components: components), context: ada.context)
            }

            await expect(.invalidArgument, fields: ["quantity.unit"]) { try await correct(ids[0], .init(value: "80", unit: "kg")) }
            await expect(.invalidArgument, fields: ["quantity"]) { try await correct(ids[0], nil) }
            await expect(.invalidArgument, fields: ["components", "quantity"]) { try await correct(ids[1], .init(value: "80", unit: "mm[Hg]")) }
            await expect(.invalidArgument, fields: ["observation_id", "expected_version"]) {
                try await vitals.correctObservation(.init(observationId: "x"), context: ada.context)
            }
            await expect(.invalidArgument, fields: ["effective_at"]) { try await vitals.correct(ids[0], to: "80", at: 60 * 24 * 365 * 20, as: ada) }
            let parts: [VitalsV1.Component] = [
                .init(code: "8480-6", quantity: .init(value: "130", unit: "mm[Hg]")), .init(code: "8462-4", quantity: .init(value: "85", unit: "mm[Hg]")),
            ]
            #expect(try await correct(ids[1], nil, parts).observation?.components == parts)
        }
    }

    @Test func `is nobody else's`() async throws {
        try await withVitals { vitals in
            let (ada, bob) = (Caller(), Caller())
            let id = try await vitals.record([.heartRate(1)], as: ada).ids[0]

            await expect(.notFound) { try await vitals.correct(id, to: "90", as: bob) }
            await expect(.notFound) { try await vitals.retract(id, as: bob) }
            await expect(.notFound) { try await vitals.history(id, bob) }
        }
    }
}

@Suite struct `A reading that was retracted` {
    @Test func `is in its history alone, and does not come back when its device sends it again`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            let ids = try await vitals.record((1...3).map { .heartRate($0) }, as: ada).ids

            let retracted = try await vitals.retract(ids[2], as: ada)
            let again = try await vitals.record([.heartRate(3)], as: ada)

            #expect(retracted.status == .enteredInError)
            #expect(again.recordedCount == 0)
            #expect(try await vitals.values(ada) == ["62", "61"])
            #expect(try await vitals.getLatestObservations(.init(), context: ada.context).observations.map(\.quantity?.value) == ["62"])
            #expect(try await vitals.history(ids[2], ada).map(\.observation?.status) == [.final, .enteredInError])
        }
    }

    @Test func `stays retracted`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            let id = try await vitals.record([.heartRate(1)], as: ada).ids[0]
            let retracted = try await vitals.retract(id, as: ada)

            #expect(try await vitals.retract(id, as: ada) == retracted)
            await expect(.aborted) { try await vitals.retract(id, version: .max, as: ada) }
            await expect(.failedPrecondition) { try await vitals.correct(id, version: 2, to: "80", as: ada) }
            await expect(.failedPrecondition) {
                try await vitals.retractObservation(.init(observationId: id, expectedVersion: 2, reason: "Again."), context: ada.context)
            }
        }
    }

    @Test func `is shown by no replica's cache`() async throws {
        try await withVitals { _, postgres in
            try await withCaches { first in
                try await withCaches { second in
                    let (here, there) = (VitalsService(postgres, first), VitalsService(postgres, second))
                    let ada = Caller()
                    let ids = try await here.record([.heartRate(1), .heartRate(2)], as: ada).ids
                    let both = [here, there]
                    for replica in both { _ = try await replica.getLatestObservations(.init(), context: ada.context) }

                    try await here.retract(ids[1], as: ada)

                    for replica in both {
                        try await until {
                            try await replica.getLatestObservations(.init(), context: ada.context).observations.map(\.id) == [ids[0]]
                        }
                    }
                }
            }
        }
    }
}
