import Synchronization

/// Where handlers of tests wait until they are let through.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var entered = 0
    }

    private let state = Mutex(State())

    var entered: Int { state.withLock(\.entered) }
    func enter() { state.withLock { $0.entered += 1 } }
    func open() { state.withLock { $0.isOpen = true } }

    /// Goes through when the gate is open, whatever the task is told meanwhile.
    func pass() async {
        enter()
        while !state.withLock(\.isOpen) { try? await Task.sleep(for: .milliseconds(5)); await Task.yield() }
    }

    func waitForSomebody(_ count: Int = 1) async {
        while entered < count { try? await Task.sleep(for: .milliseconds(5)) }
    }
}

/// What happened, in its order.
final class Order: Sendable {
    private let events = Mutex<[String]>([])

    var all: [String] { events.withLock { $0 } }
    func add(_ event: String) { events.withLock { $0.append(event) } }
}
