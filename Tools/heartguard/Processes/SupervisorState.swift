internal import Glibc

/// The supervisor's mind: what is wanted and what is there, and from both the next actions. It starts no process and
/// reads no clock; times are seconds on any clock that only goes forward.
struct SupervisorState: Sendable {
    enum Phase: Equatable, Sendable {
        /// Down until then; goes to running.
        case waiting(until: Double)
        /// Goes to waiting when it ends by itself, to stopping when it is no longer wanted as it is.
        case running(pid_t, since: Double)
        /// Has its stop signal; is killed at the time given. Ends in being forgotten, or in waiting under a new plan.
        case stopping(pid_t, killAt: Double)
    }

    struct Entry: Equatable, Sendable {
        var plan: ProcessPlan
        var phase: Phase
        /// Quick failures in a row.
        var failures = 0
        var restarts = 0
        var lastExit: ExitReason?
    }

    enum Action: Equatable, Sendable {
        case start(ProcessPlan)
        case signal(pid_t, Int32)
        /// Nothing runs and nothing is wanted any more.
        case finish
    }

    private(set) var entries: [Entry] = []
    private var wanted: [ProcessPlan] = []
    private var shuttingDown = false
    private let policy: RestartPolicy

    init(policy: RestartPolicy = RestartPolicy()) { self.policy = policy }

    // MARK: - Events

    mutating func planned(_ plans: [ProcessPlan], now: Double) {
        guard !shuttingDown else { return }
        wanted = plans
        for plan in plans where !entries.contains(where: { $0.plan.name == plan.name }) {
            entries.append(Entry(plan: plan, phase: .waiting(until: now)))
        }
    }

    mutating func started(_ name: String, pid: pid_t, now: Double) {
        update(name) { entry in
            if entry.lastExit != nil { entry.restarts += 1 }
            entry.phase = .running(pid, since: now)
        }
    }

    /// The program could not even be started.
    mutating func failedToStart(_ name: String, now: Double) {
        let policy = policy
        update(name) { entry in
            entry.failures += 1
            entry.phase = .waiting(until: now + policy.delay(afterFailures: entry.failures))
        }
    }

    mutating func ended(_ pid: pid_t, _ exit: ExitReason, now: Double) {
        guard let index = entries.firstIndex(where: { $0.pid == pid }) else { return }
        entries[index].lastExit = exit
        switch entries[index].phase {
        case .stopping, .waiting:
            entries[index].phase = .waiting(until: now)
            entries[index].failures = 0
        case .running(_, let since):
            // One that ends without complaint was asked to, as in a rolling restart.
            let isNew = exit == .exited(0) || now - since >= policy.steadySeconds
            entries[index].failures = isNew ? 1 : entries[index].failures + 1
            entries[index].phase = .waiting(until: now + policy.delay(afterFailures: entries[index].failures))
        }
    }

    mutating func shutDown() {
        shuttingDown = true
        wanted = []
    }

    // MARK: - What to do

    /// The actions that are due. Call it after every event and when `nextWake` has come.
    mutating func due(now: Double) -> [Action] {
        renewOrForgetStopped(now: now)
        var actions = stopUnwanted(now: now)
        for index in entries.indices {
            guard case .stopping(let pid, let killAt) = entries[index].phase, killAt <= now else { continue }
            entries[index].phase = .stopping(pid, killAt: .infinity)
            actions.append(.signal(pid, SIGKILL))
        }
        for entry in entries {
            guard case .waiting(let until) = entry.phase, until <= now, isWanted(entry), lowerStagesRun(entry) else { continue }
            actions.append(.start(entry.plan))
        }
        if shuttingDown && entries.isEmpty { actions.append(.finish) }
        return actions
    }

    /// When `due` has something to do although nothing happens.
    var nextWake: Double {
        entries.map { entry in
            switch entry.phase {
            // Behind a lower stage that is down it is not its own time that counts: that is over, and would wake at once again and again.
            case .waiting(let until): lowerStagesRun(entry) ? until : Double.infinity
            case .stopping(_, let killAt): killAt
            case .running: Double.infinity
            }
        }.min() ?? .infinity
    }

    private mutating func renewOrForgetStopped(now: Double) {
        entries = entries.compactMap { entry in
            guard case .waiting = entry.phase, !isWanted(entry) else { return entry }
            guard let plan = wanted.first(where: { $0.name == entry.plan.name }) else { return nil }
            var renewed = entry
            renewed.plan = plan
            renewed.failures = 0
            renewed.phase = .waiting(until: now)
            return renewed
        }
    }

    /// Signals the unwanted processes of the highest stage that has any; the lower ones wait for those to be gone.
    private mutating func stopUnwanted(now: Double) -> [Action] {
        let stage = entries.filter { $0.pid != nil && !isWanted($0) }.map(\.plan.stage).max()
        var actions: [Action] = []
        for index in entries.indices where entries[index].plan.stage == stage && !isWanted(entries[index]) {
            guard case .running(let pid, _) = entries[index].phase else { continue }
            entries[index].phase = .stopping(pid, killAt: now + Double(entries[index].plan.stopSeconds))
            actions.append(.signal(pid, entries[index].plan.stopSignal))
        }
        return actions
    }

    private func isWanted(_ entry: Entry) -> Bool { wanted.contains(entry.plan) }

    private func lowerStagesRun(_ entry: Entry) -> Bool {
        entries.allSatisfy { other in
            guard other.plan.stage < entry.plan.stage else { return true }
            if case .running = other.phase { return true }
            return false
        }
    }

    private mutating func update(_ name: String, _ change: (inout Entry) -> Void) {
        guard let index = entries.firstIndex(where: { $0.plan.name == name }) else { return }
        change(&entries[index])
    }
}

extension SupervisorState.Entry {
    /// The process, while there is one.
    var pid: pid_t? {
        switch phase {
        case .running(let pid, _), .stopping(let pid, _): pid
        case .waiting: nil
        }
    }
}
