internal import FHIR
internal import JSON

/// What has to be known of a whole file: whom it is about, which Medications others refer to, and what it says of a resource last.
struct ImportOutline: Sendable {
    /// `nil` for what is no history.
    let history: ImportHistory?
    /// What the file's Patient is referred to by; without one, as in a file of Bulk Data with one type of resources, how the first resource refers to
    /// whom it is about.
    private(set) var person: Set<String> = []
    private var hasPatient = false
    private var medications: [String: [UInt8]] = [:]
    private var medicationBytes = 0

    /// Of all Medications of a file, and of one.
    private static let mostMedicationBytes = 16 << 20
    static let mostBytesOfMedication = 64 << 10

    init(history: ImportHistory? = nil) { self.history = history }

    /// Throws if the file is about more than one person, or has too much of what others refer to.
    mutating func add(_ entry: BundleEntry, _ piece: EntryReader.Piece) throws(JSONSyntaxError) {
        guard !entry.isDeleted else { return }
        switch entry.type {
        case "Patient":
            let references = Set(entry.references)
            guard !hasPatient || !person.isDisjoint(with: references) else {
                throw JSONSyntaxError("The file has a second Patient; an import is of one person", at: Int(piece.firstByte))
            }
            person = hasPatient ? person.union(references) : references
            hasPatient = true
        case "Medication":
            guard piece.content.count <= Self.mostBytesOfMedication else { return }
            medicationBytes += piece.content.count
            guard medicationBytes <= Self.mostMedicationBytes else {
                throw JSONSyntaxError("The Medications of the file have more than \(Self.mostMedicationBytes) bytes", at: Int(piece.firstByte))
            }
            for reference in entry.references { medications[reference] = piece.content }
        default:
            guard !hasPatient, let subject = entry.subject, !subject.isEmpty else { return }
            if person.isEmpty { person = [subject] }
        }
    }

    /// Whether a resource is about the person, or does not say whom it is about.
    func isAboutPerson(_ entry: BundleEntry) -> Bool { entry.subject.map(person.contains) ?? true }

    func medication(_ reference: String) -> [UInt8]? { medications[reference] }
}
