internal import Application
internal import Contracts
internal import FHIR
internal import FoundationEssentials
internal import JSON
internal import RPC
internal import Time

/// Some resources of an import, in their order, each as it is kept here, or why it is not.
struct ImportPart: Sendable {
    let user: UserID
    let importID: UUID
    /// Where it begins in the import.
    let place: Int64
    let records: [Result<ImportedRecord, ImportOutcome>]

    static let maxRecords = 500

    init(_ request: ImportsV1.ImportRecordsRequest, now: Instant = .now()) throws(RPCError) {
        var violations = FieldViolations()
        let user = violations.value("user_id", request.userId, UUID.init(parsing:))
        let importID = violations.value("import_id", request.importId, UUID.init(parsing:))
        let source = violations.value("source", request.source, ObservationSource.init(_:))
        violations.check(request.place >= 0, "place", "It must not be negative.")
        violations.check((1...Self.maxRecords).contains(request.resources.count), "resources", "There must be 1 to \(Self.maxRecords) of them.")
        try violations.throwIfAny()
        var identities: [UUID] = []
        for (position, resource) in request.resources.enumerated() {
            guard let id = violations.value("resources[\(position)].identity", resource.identity, UUID.init(parsing:)) else { break }
            identities.append(id)
        }
        let (person, parent, origin) = try violations.complete(user, importID, source)
        self.user = UserID(person)
        self.importID = parent
        place = request.place
        records = zip(request.resources, identities).map { resource, id in
            Result { () throws(ImportOutcome) in try ImportedRecord(resource, as: id, of: person, from: origin, now: now) }
        }
    }
}

/// What a resource becomes here.
enum ImportedRecord: Sendable {
    case observation(ImportedObservation)
    case samples(ImportedSamples)
    case retraction(ImportedRetraction)
    case medication(Medication)
    case device(NewDevice, DeviceID, isActive: Bool)

    init(
        _ resource: ImportsV1.ImportedResource, as id: UUID, of user: UUID, from source: ObservationSource, now: Instant
    ) throws(ImportOutcome) {
        let content = try Self.parsed(resource.content)
        switch content["resourceType"]?.text {
        case "Observation":
            if let told = FHIR.RetractedObservation(reading: content, as: id, from: source.text) {
                self = .retraction(try ImportedRetraction(told, from: source))
            } else if FHIR.SampledObservation.isTold(by: content) {
                self = .samples(try ImportedSamples(FHIR.SampledObservation(reading: content, as: id, of: user), now: now))
            } else {
                self = .observation(try ImportedObservation(FHIR.Observation(reading: content, as: id, of: user, from: source.text), now: now))
            }
        case "MedicationStatement", "MedicationRequest":
            let medication = resource.medication.isEmpty ? nil : try Self.parsed(resource.medication)
            self = .medication(try Medication(FHIR.MedicationStatement(reading: content, medication, as: id, of: user)))
        case "Device":
            let device = try FHIR.Device(reading: content, as: id, of: user)
            self = .device(try NewDevice(device), DeviceID(id), isActive: device.isActive)
        default: throw .notKept
        }
    }

    private static func parsed(_ content: [UInt8]) throws(ImportOutcome) -> JSONValue {
        do throws(JSONSyntaxError) { return try JSONParser.parse(content).resource } catch { throw .malformed }
    }
}
