internal import Time

/// Which writing of a row it is: no two have the same, not even in a database that was set back and written on.
struct RowVersion: Hashable, Sendable {
    let position: Int64
    let changedAt: Instant
}
