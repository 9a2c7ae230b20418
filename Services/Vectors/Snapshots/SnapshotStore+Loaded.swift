extension SnapshotStore {
    /// A snapshot that was read.
    struct Loaded: Sendable {
        let contents: IndexContents
        let saved: SnapshotState.Saved

        /// Whether a snapshot is of this table, as it was once.
        ///
        /// A database that was set back and written on gives positions again. The newest row that the table has up to the snapshot's position
        /// would then be one that was written after that, or stand in the snapshot as another writing of it: two writings differ in their
        /// time. What only the snapshot has, or has as it was written before the table was set back, does not come with the rows behind its position
        /// (`IndexContents.ids(behind:)`); what only the table has shows in the number of rows once these have been read.
        func fits(_ standing: TableStanding) -> SnapshotCounts.Load {
            if saved.position > standing.position { return .foreign }
            if let newest = standing.newest, contents.version(of: newest.id) != newest.version { return .foreign }
            // It would spare a fifth of the work at most. One that was written amid a build has less than the table for long.
            return standing.newerCount > max(1_000, 4 * contents.rowCount) ? .stale : .used
        }
    }
}
