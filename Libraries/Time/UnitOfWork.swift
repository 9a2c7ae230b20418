/// How a unit of work ended.
package enum UnitOutcome: Sendable, Hashable {
    case committed
    case undone
    /// It is committed or undone: the word of it was lost.
    case unknown
}

/// Work of a task that takes effect as a whole, at its end, or not at all. What the task changes meanwhile is seen by nobody else.
package protocol UnitOfWork: AnyObject, Sendable {
    /// Has something done when the unit has ended, which is told how it did. What was asked for first is done first, and
    /// all of it, whatever fails; the first error reaches whoever waits for the unit.
    func atEnd(_ action: @escaping @Sendable (_ outcome: UnitOutcome) async throws -> Void)
}

extension CurrentTask {
    /// Apart from the scope, since few tasks have one.
    @TaskLocal package static var unit: (any UnitOfWork)?

    /// Does what others may only see, or be told, once the changes of this task are theirs to see: at once, or in a unit of work when that is
    /// committed. It is not done where the unit is not; where nobody knows whether it is, `inDoubt` is done in its place.
    package static func afterCommit(
        _ action: @escaping @Sendable () async throws -> Void, inDoubt: @escaping @Sendable () async throws -> Void = {}
    ) async throws {
        guard let unit else { return try await action() }
        unit.atEnd { outcome in
            switch outcome {
            case .committed: try await action()
            case .unknown: try await inDoubt()
            case .undone: break
            }
        }
    }
}
