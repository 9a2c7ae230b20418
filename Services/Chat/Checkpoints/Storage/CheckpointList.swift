internal import FoundationEssentials

/// Which checkpoints a page of a list has.
struct CheckpointList: Hashable, Sendable {
    /// Where a list goes on: behind this one, in its order.
    struct Place: Hashable, Sendable {
        let id: UUID
        let thread: Int64
        let namespace: String
    }

    var thread: Int64?
    var namespace: CheckpointNamespace?
    var id: UUID?
    var before: UUID?
    var filter: CheckpointMetadata?
    var place: Place?
    var limit: Int
}
