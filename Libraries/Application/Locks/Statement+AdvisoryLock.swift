package import FoundationEssentials
package import Postgres

extension Statement<Void> {
    /// Holds who takes the same lock until the commit: what is counted and then added to is so by one after the other. A statement of its own, in
    /// front of the rest: only one that begins after it sees what its last holder committed.
    ///
    /// - Parameters:
    ///   - name: what is locked, as `schema.table`. Programs of two versions wait for each other by it.
    ///   - owner: whose, such as a person.
    package static func advisoryLock(_ name: Query, of owner: UUID) -> Self {
        .reading("SELECT pg_advisory_xact_lock(hashtextextended('\(name) ' || \(owner)::text, 0))")
    }
}
