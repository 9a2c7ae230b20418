internal import Time

/// A scope that also has a method and a place in a trace: that of a task which answers a call.
protocol CallScope: TaskScope {
    var method: MethodDescriptor { get }
    var trace: TraceContext { get }
}

extension CallScope {
    func with(_ deadline: Deadline?) -> any TaskScope { NarrowedScope(deadline: deadline, method: method, trace: trace) }
}

private final class NarrowedScope: CallScope {
    let deadline: Deadline?
    let method: MethodDescriptor
    let trace: TraceContext

    init(deadline: Deadline?, method: MethodDescriptor, trace: TraceContext) {
        self.deadline = deadline
        self.method = method
        self.trace = trace
    }
}

extension MethodDescriptor {
    /// The method of the call that this task answers.
    package static var current: MethodDescriptor? { (CurrentTask.scope as? any CallScope)?.method }
}

extension TraceContext {
    /// The trace of the call that this task answers.
    package static var current: TraceContext? { (CurrentTask.scope as? any CallScope)?.trace }
}
