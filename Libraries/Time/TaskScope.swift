/// What a task works for: until when somebody waits for it, and whatever the module that began it adds.
///
/// There is one task-local value for all of it, since each costs a task that is begun for every call.
package protocol TaskScope: AnyObject, Sendable {
    var deadline: Deadline? { get }

    /// The same scope with another deadline.
    func with(_ deadline: Deadline?) -> any TaskScope

    /// The task, or a child of it, begins to wait.
    func entered(_ stage: WorkStage)
    /// It waits no longer.
    func left(_ stage: WorkStage)
}

package enum CurrentTask {
    @TaskLocal package static var scope: (any TaskScope)?
}

/// A scope that is nothing but a deadline, which nobody asks about stages.
private final class DeadlineScope: TaskScope {
    let deadline: Deadline?

    init(_ deadline: Deadline?) { self.deadline = deadline }

    func with(_ deadline: Deadline?) -> any TaskScope { DeadlineScope(deadline) }
    func entered(_ stage: WorkStage) {}
    func left(_ stage: WorkStage) {}
}

extension Deadline {
    /// The deadline of the work that this task does for somebody, if it has one.
    package static var current: Deadline? { CurrentTask.scope?.deadline }

    /// Does work of this task within another deadline, or within none.
    package static func with<Value, Failure>(
        _ deadline: Deadline?, isolation: isolated (any Actor)? = #isolation, _ work: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let scope = CurrentTask.scope?.with(deadline) ?? DeadlineScope(deadline)
        // The task-local value's own method forgets which errors `work` throws.
        let result: Result<Value, Failure> = await CurrentTask.$scope.withValue(scope) {
            do throws(Failure) { return .success(try await work()) } catch { return .failure(error) }
        }
        return try result.get()
    }
}
