internal import FHIR
internal import FoundationEssentials
internal import JSON
internal import Time

/// What a Bundle of the type history says of its resources: each version of one is an entry, also that it was deleted, and the oldest comes last
/// (FHIR R4, http.html#history).
struct ImportHistory: Sendable {
    struct Resource: Sendable {
        /// One for all versions, whether each says its `fullUrl` or not.
        fileprivate(set) var identity: UUID
        fileprivate(set) var hasURL: Bool
        /// The entry with the newest version.
        fileprivate(set) var newest: Int64
        fileprivate var lastUpdated: Instant?
    }

    private var resources: [String: Resource] = [:]

    /// All of them are held while the file is read.
    static let mostResources = 200_000

    /// The newest version is the one that was updated last, if that is said of both, and else the one that comes first. A `versionId` is opaque.
    ///
    /// Throws if there are too many resources.
    mutating func add(_ entry: BundleEntry, _ piece: EntryReader.Piece, from source: String) throws(JSONSyntaxError) {
        let identity = UUID(identifying: entry, piece.content, from: source)
        let name = Self.name(of: entry, identity)
        guard var known = resources[name] else {
            guard resources.count < Self.mostResources else {
                throw JSONSyntaxError("The history has more than \(Self.mostResources) resources", at: Int(piece.firstByte))
            }
            resources[name] = Resource(
                identity: identity, hasURL: entry.fullURL != nil, newest: piece.number, lastUpdated: entry.lastUpdated)
            return
        }
        if !known.hasURL, entry.fullURL != nil { (known.identity, known.hasURL) = (identity, true) }
        if let last = known.lastUpdated, let updated = entry.lastUpdated, last < updated {
            (known.newest, known.lastUpdated) = (piece.number, updated)
        }
        resources[name] = known
    }

    /// - Parameter identity: what the entry is told from others by, by itself.
    func resource(_ entry: BundleEntry, _ identity: UUID) -> Resource? { resources[Self.name(of: entry, identity)] }

    /// A history is one server's, where no two have a type and an id in common.
    private static func name(of entry: BundleEntry, _ identity: UUID) -> String {
        guard let id = entry.id, id.utf8.count <= 64 else { return identity.text }
        return "\(entry.type)/\(id)"
    }
}
