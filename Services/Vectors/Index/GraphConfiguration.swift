/// The shape of every graph.
struct GraphConfiguration: Hashable, Sendable {
    var m = 16
    var efConstruction = 200
    /// Candidates of a search that names no number of its own.
    var efSearch = 100
}
