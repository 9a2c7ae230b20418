internal import Application
internal import Postgres

extension Statement<Void> {
    /// Holds who else adds to a table of which a person may have so many rows until the commit.
    static func lockQuota(of user: UserID, in table: Query) -> Self { .advisoryLock(table, of: user.uuid) }
}
