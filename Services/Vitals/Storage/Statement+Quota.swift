internal import FoundationEssentials
internal import Postgres

extension Statement<Void> {
    /// Holds who else adds to a table of which a person may have so many rows until the commit. A statement of its own, before the rows are
    /// counted: only one that begins after it sees what its last holder committed.
    static func lockQuota(of user: UserID, in table: Query) -> Self {
        .reading("SELECT pg_advisory_xact_lock(hashtextextended('\(table) ' || \(user.uuid)::text, 0))")
    }
}
