/// A checkpoint as it was kept.
struct KeptCheckpoint: Sendable {
    struct Channel: Sendable {
        let name: String
        let version: String
        let value: TypedValue?
    }

    let row: CheckpointRow
    let content: TypedValue
    let channels: [Channel]
    let writes: [PendingWrite]

    /// What an answer takes, nearly.
    var byteCount: Int {
        channels.reduce(content.data.count + row.metadata.utf8.count) { $0 + ($1.value?.data.count ?? 0) }
            + writes.reduce(0) { $0 + $1.value.data.count }
    }
}
