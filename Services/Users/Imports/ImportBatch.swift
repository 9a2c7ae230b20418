internal import Contracts
internal import FHIR
internal import FoundationEssentials
internal import JSON
internal import Time

/// Some entries of an import that are dealt with together, in their order.
struct ImportBatch: Sendable {
    struct Entry: Sendable {
        let number: Int64
        let type: String
        var outcome: ImportOutcome?
    }

    /// Before its first entry, and behind its last.
    let place: EntryReader.Place
    private(set) var end: EntryReader.Place
    private(set) var entries: [Entry] = []
    /// By their positions among the entries: what another service takes, and the visits that are kept here.
    private(set) var resources: [(position: Int, resource: ImportsV1.ImportedResource)] = []
    private(set) var visits: [(position: Int, visit: FHIR.Appointment)] = []
    private var byteCount = 0

    /// A message of so many has to fit into one of gRPC's, with room for the largest resource and its Medication.
    static let mostEntries = 200
    private static let mostBytes = 1 << 20
    private static let mostBytesOfResource = 256 << 10

    /// What is said of a reading that was deleted.
    private static let deleted = Array(#"{"resourceType":"Observation","status":"entered-in-error"}"#.utf8)

    private let mostEntries: Int

    init(behind place: EntryReader.Place, mostEntries: Int) {
        self.place = place
        self.mostEntries = mostEntries
        end = place
    }

    var isFull: Bool { entries.count >= mostEntries || byteCount >= Self.mostBytes }

    /// - Parameter types: what another service takes.
    mutating func add(
        _ piece: EntryReader.Piece, _ entry: BundleEntry, by outline: ImportOutline, of job: Import, _ user: UUID, types: Set<String>
    ) {
        end = piece.end
        do throws(ImportOutcome) {
            try place(piece, entry, by: outline, of: job, user, types: types)
            entries.append(Entry(number: piece.number, type: entry.type))
        } catch {
            entries.append(Entry(number: piece.number, type: entry.type, outcome: error))
        }
    }

    private mutating func place(
        _ piece: EntryReader.Piece, _ entry: BundleEntry, by outline: ImportOutline, of job: Import, _ user: UUID, types: Set<String>
    ) throws(ImportOutcome) {
        let isVisit = entry.type == "Appointment" || entry.type == "Encounter"
        guard isVisit || types.contains(entry.type) else { throw entry.type == "Unknown" ? .malformed : .notKept }
        let own = UUID(identifying: entry, piece.content, from: job.source)
        let known = outline.history?.resource(entry, own)
        // An older version is not what the other system says any more.
        guard known?.newest ?? piece.number == piece.number else { throw .differs }
        let id = known?.identity ?? own
        guard !entry.isDeleted else {
            // Nothing but its name is said, and "Observation/1" is the name of another hospital's too.
            let isNamed = known?.hasURL ?? false || entry.fullURL != nil || entry.id.flatMap { UUID(uuidString: $0) } != nil
            guard entry.type == "Observation", isNamed else { throw .enteredInError }
            byteCount += Self.deleted.count
            resources.append((entries.count, .init(identity: id.text, content: Self.deleted)))
            return
        }
        guard entry.resource["resourceType"] != nil else { throw .malformed }
        guard outline.isAboutPerson(entry) else { throw .anotherSubject }
        guard piece.content.count <= Self.mostBytesOfResource else { throw .tooLarge }
        if isVisit {
            visits.append((entries.count, try FHIR.Appointment(reading: entry.resource, as: id, of: user, calledThere: outline.person)))
            return
        }
        var medication: [UInt8] = []
        if let reference = entry.medication {
            guard let found = outline.medication(reference) else { throw .unresolved }
            medication = found
        }
        // A sample may have two bytes, and takes as long to keep as any.
        let weight = entry.resource["valueSampledData"] == nil ? 1 : 4
        byteCount += piece.content.count * weight + medication.count
        resources.append(
            (entries.count, .init(identity: id.text, content: piece.content, medication: medication)))
    }

    mutating func set(_ outcome: ImportOutcome, at position: Int) { entries[position].outcome = outcome }

    /// With these entries.
    func counted(into counts: ImportCounts) -> ImportCounts {
        var counts = counts
        for entry in entries { counts.add(entry.outcome ?? .malformed, of: entry.type, at: entry.number) }
        return counts
    }
}
