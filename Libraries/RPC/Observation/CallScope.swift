internal import Time

/// A scope that also has a place in a trace: that of a task which answers a call.
protocol CallScope: TaskScope {
    var trace: TraceContext { get }
}

extension CallScope {
    func with(_ deadline: Deadline?) -> any TaskScope { NarrowedScope(deadline: deadline, trace: trace) }
}

private final class NarrowedScope: CallScope {
    let deadline: Deadline?
    let trace: TraceContext

    init(deadline: Deadline?, trace: TraceContext) {
        self.deadline = deadline
        self.trace = trace
    }
}
