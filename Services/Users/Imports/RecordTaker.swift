internal import Contracts
internal import FHIR
internal import FoundationEssentials
internal import RPC

/// A service that keeps some types of resources, and how it is given them.
struct RecordTaker: Sendable {
    let types: Set<String>
    /// What became of each.
    let take: @Sendable (ImportsV1.ImportRecordsRequest) async throws -> [ImportOutcome]

    init(types: Set<String>, take: @escaping @Sendable (ImportsV1.ImportRecordsRequest) async throws -> [ImportOutcome]) {
        self.types = types
        self.take = take
    }

    static let vitalsTypes: Set<String> = ["Observation", "MedicationStatement", "MedicationRequest", "Device"]

    /// Vitals, asked by its contract.
    init(vitals channel: RPCChannel) {
        let client = ImportsV1.ImportServiceClient(channel)
        self.init(types: Self.vitalsTypes) { request in
            try await client.importRecords(request).outcomes.map { ImportOutcome(rawValue: $0.rawValue) ?? .notKept }
        }
    }
}
