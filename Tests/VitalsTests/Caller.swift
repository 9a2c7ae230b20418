internal import Application
internal import Contracts
internal import Foundation
internal import RPC
internal import Testing
internal import Time
internal import Tokens

@testable internal import Vitals

/// A person whom no other test knows.
struct Caller {
    let id = UUID()

    /// The context of a call that this person makes.
    var context: RPCContext {
        var context = RPCContext(method: VitalsV1.VitalsServiceMethods.listDevices.descriptor)
        context[CallerIdentity.self] = CallerIdentity(
            AccessClaims(subject: id, role: .user, expiresAt: .now() + .seconds(60), sessionID: UUID()))
        return context
    }
}

/// Half past eight in the morning of 21 February 2026, from which tests count minutes.
let morning = Instant(microsecondsSinceEpoch: 1_771_662_600_000_000)

extension VitalsV1.Observation {
    /// A heart rate, some minutes after `morning`. The number is its sequence too.
    static func heartRate(_ number: Int, minute: Int? = nil, source: String = "watch") -> VitalsV1.Observation {
        VitalsV1.Observation(
            code: "8867-4", quantity: .init(value: "\(60 + number)", unit: "/min"),
            effectiveAt: .init(morning + .seconds(60 * (minute ?? number))), utcOffsetMinutes: 60, source: source,
            sequence: Int64(number))
    }

    static func glucose(_ value: String, unit: String = "mg/dL", sequence: Int64 = 0) -> VitalsV1.Observation {
        VitalsV1.Observation(
            code: "99504-3", quantity: .init(value: value, unit: unit), effectiveAt: .init(morning), source: "cgm",
            sequence: sequence)
    }

    static func bloodPressure(_ systolic: String, _ diastolic: String, sequence: Int64 = 0) -> VitalsV1.Observation {
        VitalsV1.Observation(
            code: "85354-9",
            components: [
                .init(code: "8480-6", quantity: .init(value: systolic, unit: "mm[Hg]")),
                .init(code: "8462-4", quantity: .init(value: diastolic, unit: "mm[Hg]")),
            ],
            effectiveAt: .init(morning), source: "cuff", sequence: sequence)
    }
}

extension VitalsService {
    @discardableResult
    func record(
        _ observations: [VitalsV1.Observation], as caller: Caller
    ) async throws -> VitalsV1.RecordObservationsResponse {
        try await recordObservations(.init(observations: observations), context: caller.context)
    }

    /// Registers a watch; returns its id.
    func registerWatch(_ serialNumber: String = "SN-1", for caller: Caller) async throws -> String {
        let request = VitalsV1.RegisterDeviceRequest(
            kind: .watch, platform: "wearos", name: "Ada's watch", serialNumber: serialNumber)
        return try #require(try await registerDevice(request, context: caller.context).device?.id)
    }

    /// Every reading of a list, page by page.
    func all(
        _ request: VitalsV1.ListObservationsRequest, as caller: Caller, between pages: () async throws -> Void = {}
    ) async throws -> [VitalsV1.Observation] {
        var request = request
        var all: [VitalsV1.Observation] = []
        repeat {
            let page = try await listObservations(request, context: caller.context)
            all += page.observations
            request.pageToken = page.nextPageToken
            try await pages()
        } while !request.pageToken.isEmpty
        return all
    }
}
