internal import Application
internal import Foundation

/// What the Vectors service is told at its start.
struct VectorsConfiguration: Sendable {
    let common: ServiceConfiguration
    let graph: GraphConfiguration
    /// Threads that search, and threads that put documents into the graphs.
    let searchThreads: Int
    let indexThreads: Int
    /// Searches that may wait for a thread.
    let maxQueuedSearches: Int
    /// The folder for snapshots of the indexes; `nil` keeps none.
    let snapshotFolder: String?
    let snapshots: SnapshotPolicy
    /// What is answered from rows while an index is being built.
    let rowSearch: RowSearch.Limits
    /// What is kept of documents' texts.
    let textBytes: Int
    /// The share of the search threads' time that may go into measuring recall.
    let recallPercent: Int

    /// Throws one error that names every setting that is missing or cannot be used.
    init(environment: [String: String]) throws(SettingsError) {
        var settings = Settings(environment: environment)
        common = ServiceConfiguration(service: "vectors", loopPerCore: true, from: &settings)
        var graph = GraphConfiguration()
        graph.m = settings.int("HEARTGUARD_VECTORS_M", default: graph.m, in: 4...128)
        graph.efConstruction = settings.int(
            "HEARTGUARD_VECTORS_EF_CONSTRUCTION", default: graph.efConstruction, in: 16...2_000)
        graph.efSearch = settings.int(
            "HEARTGUARD_VECTORS_EF_SEARCH", default: graph.efSearch, in: 10...SearchQuery.maxEffort)
        graph.vectorFolder = settings.optional("HEARTGUARD_VECTORS_MAPPED_FOLDER")
        self.graph = graph
        let cores = ProcessInfo.processInfo.activeProcessorCount
        searchThreads = settings.int("HEARTGUARD_VECTORS_SEARCH_THREADS", default: cores, in: 1...256)
        indexThreads = settings.int("HEARTGUARD_VECTORS_INDEX_THREADS", default: max(1, cores / 2), in: 1...256)
        maxQueuedSearches = settings.int("HEARTGUARD_VECTORS_MAX_QUEUED_SEARCHES", default: 256, in: 1...65_536)
        snapshotFolder = settings.optional("HEARTGUARD_VECTORS_SNAPSHOT_FOLDER")
        var snapshots = SnapshotPolicy()
        snapshots.changes = settings.int(
            "HEARTGUARD_VECTORS_SNAPSHOT_CHANGES", default: snapshots.changes, in: 1...1_000_000_000)
        snapshots.interval = .seconds(
            settings.int("HEARTGUARD_VECTORS_SNAPSHOT_SECONDS", default: 900, in: 1...86_400))
        self.snapshots = snapshots
        var rowSearch = RowSearch.Limits()
        rowSearch.documents = Int64(
            settings.int("HEARTGUARD_VECTORS_ROW_SEARCH_DOCUMENTS", default: Int(rowSearch.documents), in: 0...1_000_000))
        rowSearch.bytes = Int64(
            settings.int("HEARTGUARD_VECTORS_ROW_SEARCH_MEGABYTES", default: Int(rowSearch.bytes >> 20), in: 0...65_536)) << 20
        rowSearch.mostDocuments = Int64(
            settings.int("HEARTGUARD_VECTORS_ROW_SEARCH_MOST_DOCUMENTS", default: 200_000, in: 0...10_000_000))
        rowSearch.searches = settings.int("HEARTGUARD_VECTORS_ROW_SEARCHES", default: rowSearch.searches, in: 1...64)
        self.rowSearch = rowSearch
        textBytes = settings.int("HEARTGUARD_VECTORS_TEXT_MEGABYTES", default: 64, in: 0...65_536) << 20
        recallPercent = settings.int("HEARTGUARD_VECTORS_RECALL_PERCENT", default: 1, in: 0...100)
        try settings.finish()
    }
}
