internal import Foundation
internal import Glibc

/// Keeps the processes of a plan running: starts them in stages, restarts what falls over, rotates their logs, and on
/// SIGTERM stops them in reverse. One thread, which does nothing but wait for a signal or the next due time. That one
/// thread is also the parent that the children's death signal refers to, so no other may start them.
struct Supervisor: ~Copyable {
    private let directory: StateDirectory
    private let lock: FileLock
    private var state = SupervisorState()
    private var reported: ProcessReport?
    private var startedAt: [pid_t: Double] = [:]
    private let rotation = LogRotation()
    private var nextRotation = 0.0
    private static let rotationSeconds = 5.0

    /// Throws FileLock.Held when this state folder has a supervisor.
    init(_ directory: StateDirectory) throws {
        self.directory = directory
        lock = try FileLock(path: directory.supervisorLock)
    }

    /// Returns when it was told to stop and everything has ended.
    mutating func run() throws {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        for signal in [SIGCHLD, SIGHUP, SIGTERM, SIGINT] { unsafe sigaddset(&signals, signal) }
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)

        try readPlan()
        while true {
            for action in state.due(now: Self.now()) {
                guard perform(action) else { return report() }
            }
            report()
            switch Self.wait(for: &signals, until: min(state.nextWake, nextRotation)) {
            case SIGTERM, SIGINT:
                log("stopping")
                state.shutDown()
            case SIGHUP:
                do { try readPlan() } catch { log("the new plan was not taken: \(error)") }
            default: break
            }
            while let (pid, exit) = ChildProcess.reap() {
                if let name = state.entries.first(where: { $0.pid == pid })?.plan.name { log("\(name) (\(pid)) \(exit)") }
                state.ended(pid, exit, now: Self.now())
                startedAt[pid] = nil
            }
            rotateLogs()
        }
    }

    /// False when there is nothing left to do.
    private mutating func perform(_ action: SupervisorState.Action) -> Bool {
        switch action {
        case .start(let plan):
            do {
                let pid = try ChildProcess.spawn(
                    plan.executable, plan.arguments, environment: plan.environment, output: plan.logFile)
                startedAt[pid] = Date().timeIntervalSince1970
                log("\(plan.name) started as \(pid)")
                state.started(plan.name, pid: pid, now: Self.now())
            } catch {
                log("\(plan.name): \(error)")
                state.failedToStart(plan.name, now: Self.now())
            }
        case .signal(let pid, let signal):
            kill(pid, signal)
        case .finish:
            log("stopped")
            return false
        }
        return true
    }

    private mutating func readPlan() throws {
        let plan = try JSONDecoder().decode(SupervisorPlan.self, from: Data(contentsOf: URL(filePath: directory.plan)))
        state.planned(plan.processes, now: Self.now())
    }

    /// Writes the report and, from it, the cluster file, when something changed.
    private mutating func report() {
        let report = ProcessReport(
            processes: state.entries.map { entry in
                let phase = switch entry.phase {
                case .waiting: "waiting"
                case .running: "running"
                case .stopping: "stopping"
                }
                return ProcessReport.Process(
                    name: entry.plan.name, state: phase, pid: entry.pid, startedAt: entry.pid.flatMap { startedAt[$0] },
                    restarts: entry.restarts, lastExit: entry.lastExit?.description, logFile: entry.plan.logFile,
                    build: entry.plan.build)
            })
        guard report != reported else { return }
        do {
            try directory.write(report, to: directory.report)
            try ClusterFile.refresh(in: directory, processes: report)
            reported = report
        } catch {
            log("the report was not written: \(error)")
        }
    }

    private mutating func rotateLogs() {
        guard Self.now() >= nextRotation else { return }
        nextRotation = Self.now() + Self.rotationSeconds
        for path in state.entries.map(\.plan.logFile) + [directory.log("supervisor")] {
            do { try rotation.rotate(path) } catch { log("\(path) was not rotated: \(error)") }
        }
    }

    private func log(_ sentence: String) {
        FileHandle.standardOutput.say("\(Date().formatted(.iso8601)) \(sentence)")
    }

    private static func now() -> Double { ProcessInfo.processInfo.systemUptime }

    /// The signal that came, or 0 when the time has.
    private static func wait(for signals: inout sigset_t, until end: Double) -> Int32 {
        SignalWait.next(of: &signals, within: max(0, min(end - now(), rotationSeconds)))
    }
}
