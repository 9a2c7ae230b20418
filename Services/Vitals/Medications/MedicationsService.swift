internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time

/// The methods of `heartguard.vitals.v1.MedicationsService`: each parses its request, does one thing and answers.
struct MedicationsService: Sendable {
    let medications: MedicationStore
    let interactions: Interactions

    /// The names of what the person takes.
    private func names(of user: UserID) async throws -> [String] {
        try await medications.list(of: user, activeOnly: true, behind: nil, limit: MedicationStore.maxMedications).map(\.medication.name)
    }
}

extension MedicationsService: VitalsV1.MedicationsServiceProtocol {
    func addMedication(_ request: VitalsV1.AddMedicationRequest, context: RPCContext) async throws -> VitalsV1.AddMedicationResponse {
        let user = try context.userID
        let added = try await medications.add(try Medication.parsed(request.medication, knowsVersion: false), of: user)
        let found = try await interactions.among(try await names(of: user), with: added.name)
        return VitalsV1.AddMedicationResponse(medication: try .init(added), interactions: found.map { .init($0) })
    }

    func listMedications(
        _ request: VitalsV1.ListMedicationsRequest, context: RPCContext
    ) async throws -> VitalsV1.ListMedicationsResponse {
        let list = try OpenList("medications", openOnly: request.activeOnly, size: request.pageSize, usual: 50, token: request.pageToken)
        let read = try await medications.list(
            of: try context.userID, activeOnly: list.openOnly, behind: list.place, limit: list.size + 1)
        let (page, next) = list.page(read) { ($0.addedAt, $0.medication.id) }
        return VitalsV1.ListMedicationsResponse(medications: try page.map { try .init($0.medication) }, nextPageToken: next)
    }

    func updateMedication(
        _ request: VitalsV1.UpdateMedicationRequest, context: RPCContext
    ) async throws -> VitalsV1.UpdateMedicationResponse {
        let replaced = try await medications.replace(try Medication.parsed(request.medication, knowsVersion: true), of: try context.userID)
        return VitalsV1.UpdateMedicationResponse(medication: try .init(replaced))
    }

    func removeMedication(
        _ request: VitalsV1.RemoveMedicationRequest, context: RPCContext
    ) async throws -> VitalsV1.RemoveMedicationResponse {
        try await medications.remove(try .init(named: "medication_id", request.medicationId), of: try context.userID)
        return VitalsV1.RemoveMedicationResponse()
    }

    func listDueDoses(_ request: VitalsV1.ListDueDosesRequest, context: RPCContext) async throws -> VitalsV1.ListDueDosesResponse {
        let period = try Period(request.startAt, request.endAt, days: 31)
        guard let doses = try await medications.dueDoses(of: try context.userID, in: period) else {
            throw RPCError.invalid("end_at", InvalidValue(sentence: "There are more than \(MedicationStore.maxDosesListed) doses until then."))
        }
        let told = doses.map { VitalsV1.Dose($0) }
        guard AnswerBytes.fitting(told).count == told.count else {
            throw RPCError.invalid("end_at", InvalidValue(sentence: "The doses until then do not fit into one answer."))
        }
        return VitalsV1.ListDueDosesResponse(doses: told)
    }

    func recordDose(_ request: VitalsV1.RecordDoseRequest, context: RPCContext) async throws -> VitalsV1.RecordDoseResponse {
        let (medication, dose) = try await medications.record(
            try RecordedDose(request), of: try context.userID, saysWhen: request.at != nil, replacing: request.replace,
            notDue: { RPCError.invalid("scheduled_at", InvalidValue(sentence: "No dose of the medication is due then.")) })
        return VitalsV1.RecordDoseResponse(dose: .init(dose, of: medication))
    }

    func getAdherence(_ request: VitalsV1.GetAdherenceRequest, context: RPCContext) async throws -> VitalsV1.GetAdherenceResponse {
        let asked = try Period(request.startAt, request.endAt, days: 366)
        let now = Instant.now()
        guard asked.start < now else { return VitalsV1.GetAdherenceResponse() }
        let period = try Period(start: asked.start, end: min(asked.end, now))
        guard let counts = try await medications.adherence(of: try context.userID, in: period) else {
            throw RPCError.invalid("end_at", InvalidValue(sentence: "There are more than \(MedicationStore.maxDosesCounted) doses until then."))
        }
        return VitalsV1.GetAdherenceResponse(medications: counts.map { .init($0) })
    }

    func checkInteractions(
        _ request: VitalsV1.CheckInteractionsRequest, context: RPCContext
    ) async throws -> VitalsV1.CheckInteractionsResponse {
        var drugs = try request.parsed()
        if request.includeMine { drugs += try await names(of: try context.userID) }
        return VitalsV1.CheckInteractionsResponse(interactions: try await interactions.among(drugs).map { .init($0) })
    }
}
