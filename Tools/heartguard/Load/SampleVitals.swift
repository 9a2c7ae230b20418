internal import Contracts
internal import RPC
internal import Time

/// Gives one person's device and its data to Vitals. The sequence numbers are the places in the file, so doing it
/// again adds nothing.
struct SampleVitals: Sendable {
    let client: GatewayClient

    /// LOINC: glucose, mass/volume, in interstitial fluid, as HL7's guide for continuous glucose monitors has it.
    static let glucose = "99504-3"
    private static let readingsPerCall = 1_000
    private static let samplesPerCall = 10_000

    private var vitals: VitalsV1.VitalsServiceClient { VitalsV1.VitalsServiceClient(client.channel) }

    func record(_ person: GlucoseReadings) async throws {
        let device = try await register(
            .init(kind: .glucoseMonitor, platform: "dexcom", name: "Glucose monitor", serialNumber: "cgm-\(person.subject)"))
        for batch in person.readings.batches(of: Self.readingsPerCall) {
            let observations = zip(batch.indices, batch).map { place, reading in
                VitalsV1.Observation(
                    code: Self.glucose, quantity: .init(value: reading.value, unit: "mg/dL"),
                    effectiveAt: .init(Instant(microsecondsSinceEpoch: reading.microsecondsSinceEpoch)), source: "cgm",
                    deviceId: device, sequence: Int64(place + 1))
            }
            _ = try await client.patiently { options throws(RPCError) in
                try await vitals.recordObservations(.init(observations: observations), options: options)
            }
        }
    }

    func append(_ signal: HeartSignal, serialNumber: String) async throws {
        let device = try await register(
            .init(kind: .watch, platform: "wearos", name: "Optical pulse sensor", serialNumber: serialNumber))
        for batch in signal.samples.batches(of: Self.samplesPerCall) {
            let samples = zip(batch.indices, batch).map { place, sample in
                VitalsV1.Sample(
                    at: .init(Instant(microsecondsSinceEpoch: sample.microsecondsSinceEpoch)),
                    sequence: Int64(place + 1), value: sample.value)
            }
            _ = try await client.patiently { options throws(RPCError) in
                try await vitals.appendSamples(.init(deviceId: device, metric: "ppg", samples: samples), options: options)
            }
        }
    }

    private func register(_ request: VitalsV1.RegisterDeviceRequest) async throws -> String {
        let answer = try await client.patiently { options throws(RPCError) in
            try await vitals.registerDevice(request, options: options)
        }
        return answer.device?.id ?? ""
    }
}
