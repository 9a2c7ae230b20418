/// Work of a task that takes effect as a whole, at its end, or not at all. What the task changes meanwhile is seen by nobody else.
package protocol UnitOfWork: AnyObject, Sendable {
    /// Has something done when the unit has ended, which is told whether the unit was committed. What was asked for first is done first, and
    /// all of it, whatever fails; the first error reaches whoever waits for the unit.
    func atEnd(_ action: @escaping @Sendable (_ isCommitted: Bool) async throws -> Void)
}

extension CurrentTask {
    /// Does what others may only see, or be told, once the changes of this task are theirs to see: at once, or in a unit of work when that is
    /// committed. It is not done where the unit is not.
    package static func afterCommit(_ action: @escaping @Sendable () async throws -> Void) async throws {
        guard let unit else { return try await action() }
        unit.atEnd { isCommitted in
            if isCommitted { try await action() }
        }
    }
}
