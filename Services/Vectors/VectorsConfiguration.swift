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

    /// Throws one error that names every setting that is missing or cannot be used.
    init(environment: [String: String]) throws(SettingsError) {
        var settings = Settings(environment: environment)
        common = ServiceConfiguration(service: "vectors", from: &settings)
        var graph = GraphConfiguration()
        graph.m = settings.int("HEARTGUARD_VECTORS_M", default: graph.m, in: 4...128)
        graph.efConstruction = settings.int(
            "HEARTGUARD_VECTORS_EF_CONSTRUCTION", default: graph.efConstruction, in: 16...2_000)
        graph.efSearch = settings.int(
            "HEARTGUARD_VECTORS_EF_SEARCH", default: graph.efSearch, in: 10...SearchQuery.maxEffort)
        self.graph = graph
        let cores = ProcessInfo.processInfo.activeProcessorCount
        searchThreads = settings.int("HEARTGUARD_VECTORS_SEARCH_THREADS", default: cores, in: 1...256)
        indexThreads = settings.int("HEARTGUARD_VECTORS_INDEX_THREADS", default: max(1, cores / 2), in: 1...256)
        maxQueuedSearches = settings.int("HEARTGUARD_VECTORS_MAX_QUEUED_SEARCHES", default: 256, in: 1...65_536)
        try settings.finish()
    }
}
