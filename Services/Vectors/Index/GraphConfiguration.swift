/// The shape of every graph.
struct GraphConfiguration: Hashable, Sendable {
    var m = 16
    var efConstruction = 200
    /// Candidates of a search that names no number of its own.
    var efSearch = 100
    /// A folder for files that hold the vectors, mapped into memory, while codes and links stay in memory; `nil` keeps the vectors in memory too.
    var vectorFolder: String?
}
