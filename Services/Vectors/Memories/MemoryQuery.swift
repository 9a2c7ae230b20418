internal import Filters

/// Which memories are meant.
struct MemorySelection: Hashable, Sendable {
    static let maxTypes = 16
    static let all = MemorySelection()

    /// None: all types.
    var types: [MemoryType] = []
    var leastImportance = Importance(kept: 0)
    /// `nil` lets all pass.
    var filter: Filter?

    func passes(_ note: MemoryNote) -> Bool {
        (types.isEmpty || types.contains(note.type)) && note.importance.value >= leastImportance.value
            && (filter?.passes(note.metadata.entries) ?? true)
    }
}

/// What a search asks for.
struct MemoryQuery: Sendable {
    static let limits = 1...100
    static let usualLimit = 10

    let embedding: Embedding
    let limit: Int
    let selection: MemorySelection
    /// The changes up to this position must be seen.
    let position: Int64
}

/// Which memories are to go.
enum MemoryDeletion: Sendable {
    static let maxIDs = 1_000

    case ids([MemoryID])
    case passing(MemorySelection)
    case all
}
