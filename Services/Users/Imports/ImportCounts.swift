internal import FHIR

/// What became of the resources of an import, by type. What it says of one is its place in the file, and nothing that is in it.
struct ImportCounts: Hashable, Sendable, Codable {
    struct Issue: Hashable, Sendable, Codable {
        let reason: ImportOutcome
        var count: Int64 = 0
        /// The places of the first few.
        var entries: [Int64] = []
    }

    struct Count: Hashable, Sendable, Codable {
        var imported: Int64 = 0
        var existing: Int64 = 0
        var issues: [Issue] = []
    }

    private(set) var types: [String: Count] = [:]

    /// FHIR R4 has 148 types; whoever makes up more has them counted together.
    private static let mostTypes = 200
    private static let mostEntries = 5

    init() {}

    mutating func add(_ outcome: ImportOutcome, of type: String, at entry: Int64) {
        let type = types[type] != nil || types.count < Self.mostTypes ? type : "Other"
        var count = types[type] ?? Count()
        switch outcome {
        case .imported: count.imported += 1
        case .existing: count.existing += 1
        default:
            let position = count.issues.firstIndex { $0.reason == outcome } ?? count.issues.count
            if position == count.issues.count { count.issues.append(Issue(reason: outcome)) }
            count.issues[position].count += 1
            if count.issues[position].entries.count < Self.mostEntries { count.issues[position].entries.append(entry) }
        }
        types[type] = count
    }

    init(from decoder: any Decoder) throws { types = try [String: Count](from: decoder) }

    func encode(to encoder: any Encoder) throws { try types.encode(to: encoder) }
}
