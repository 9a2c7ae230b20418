internal import Time

/// A scope that also has a method and a place in a trace: that of a task which answers a call.
protocol CallScope: TaskScope {
    var method: MethodDescriptor { get }
    var trace: TraceContext { get }
}

extension CallScope {
    func with(_ deadline: Deadline?) -> any TaskScope { NarrowedScope(deadline, of: self) }
}

private final class NarrowedScope: CallScope {
    let deadline: Deadline?
    private let outer: any CallScope

    init(_ deadline: Deadline?, of outer: any CallScope) {
        self.deadline = deadline
        self.outer = outer
    }

    var method: MethodDescriptor { outer.method }
    var trace: TraceContext { outer.trace }
    func entered(_ stage: WorkStage) { outer.entered(stage) }
    func left(_ stage: WorkStage) { outer.left(stage) }
}

extension MethodDescriptor {
    /// The method of the call that this task answers.
    package static var current: MethodDescriptor? { (CurrentTask.scope as? any CallScope)?.method }
}

extension TraceContext {
    /// The trace of the call that this task answers.
    package static var current: TraceContext? { (CurrentTask.scope as? any CallScope)?.trace }
}
