internal import Foundation
internal import Glibc

/// The supervisor of a state folder, seen from a command: start it, hand it a plan, ask it, stop it.
struct SupervisorHandle: Sendable {
    let directory: StateDirectory

    /// How long `down` waits: for all that has to be stopped, and for a command that is at work.
    static let patience = Duration.seconds(150)

    /// Its process id, while it runs. Throws when that cannot be found out, as by somebody who may not enter the folder.
    var pid: pid_t? { get throws(CommandFailure) { try FileLock.holder(path: directory.supervisorLock) } }

    /// The process id, if it is one here. The kernel has another number for whoever holds a lock in another container or on another machine, and kill(2) takes
    /// that for whole groups of processes.
    func reachable(_ pid: pid_t) throws(CommandFailure) -> pid_t {
        guard pid > 0 else {
            throw CommandFailure("the supervisor of \(directory.path) cannot be reached from here: it runs outside of this container, or on another machine.")
        }
        return pid
    }

    /// What it said last of its processes; nil when it does not run.
    func report() throws -> ProcessReport? {
        guard try pid != nil else { return nil }
        return try directory.read(ProcessReport.self, from: directory.report)
    }

    func plan() throws -> SupervisorPlan? { try directory.read(SupervisorPlan.self, from: directory.plan) }

    /// Makes this what runs: a running supervisor takes the new plan, otherwise one is started in a session of its own,
    /// so that it outlives this terminal.
    func apply(_ plan: SupervisorPlan) throws {
        try directory.write(plan, to: directory.plan, mode: 0o600)
        if let pid = try self.pid {
            guard try kill(reachable(pid), SIGHUP) == 0 else { throw CommandFailure("cannot reach the supervisor (process \(pid))", errno: errno) }
            return
        }
        let itself = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        if FileManager.default.fileExists(atPath: directory.report) { try FileManager.default.removeItem(atPath: directory.report) }
        let child = try ChildProcess.spawn(
            itself, [RunSupervisor.argument, directory.path],
            environment: ["PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "TZ=UTC"],
            output: directory.log("supervisor"), ownSession: true)
        let end = ContinuousClock.now + .seconds(10)
        while try report() == nil {
            if let (pid, exit) = ChildProcess.reap(), pid == child {
                throw CommandFailure("the supervisor \(exit) at once; \(directory.log("supervisor")) says why")
            }
            guard ContinuousClock.now < end else { throw CommandFailure("the supervisor did not start within 10 seconds") }
            usleep(20_000)
        }
    }

    /// Stops everything in order and waits for it. False when nothing ran.
    func stop(within limit: Duration = SupervisorHandle.patience) throws -> Bool {
        guard let pid = try self.pid else { return false }
        // It may have ended in between.
        guard try kill(reachable(pid), SIGTERM) == 0 || errno == ESRCH else { throw CommandFailure("cannot stop the supervisor (process \(pid))", errno: errno) }
        let end = ContinuousClock.now + limit
        while try self.pid != nil {
            guard ContinuousClock.now < end else {
                throw CommandFailure("the cluster is still stopping after \(limit); \(directory.log("supervisor")) says what it waits for")
            }
            usleep(50_000)
        }
        return true
    }
}
