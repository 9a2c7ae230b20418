internal import Glibc
internal import Testing

@testable import HeartGuardCommand

@Suite struct `A supervisor` {
    private func plan(_ name: String, stage: Int = 0, build: String = "1") -> ProcessPlan {
        ProcessPlan(
            name: name, executable: "/bin/\(name)", logFile: "/dev/null", stage: stage, stopSignal: SIGTERM, stopSeconds: 5, build: build)
    }

    /// A state in which these run, with process ids from 1 on.
    private func running(_ plans: [ProcessPlan]) -> SupervisorState {
        var state = SupervisorState()
        state.planned(plans, now: 0)
        for (index, plan) in plans.enumerated() { state.started(plan.name, pid: pid_t(index + 1), now: 0) }
        return state
    }

    @Test func `starts the lower stage first`() {
        var state = SupervisorState()
        let store = plan("store")
        let service = plan("service", stage: 1)
        state.planned([store, service], now: 0)

        let first = state.due(now: 0)
        state.started("store", pid: 1, now: 0)
        let second = state.due(now: 0)

        #expect(first == [.start(store)])
        #expect(second == [.start(service)])
    }

    @Test func `restarts what ended by itself after a short pause`() {
        let store = plan("store")
        var state = running([store])

        state.ended(1, .signalled(SIGKILL), now: 100)

        #expect(state.due(now: 100).isEmpty)
        #expect(state.nextWake == 100.2)
        #expect(state.due(now: 100.2) == [.start(store)])
    }

    @Test func `waits longer for what keeps falling over, and forgives after a steady run`() {
        let store = plan("store")
        var state = running([store])

        state.ended(1, .exited(1), now: 1)
        state.started("store", pid: 2, now: 2)
        state.ended(2, .exited(1), now: 2)
        let impatient = state.nextWake
        state.started("store", pid: 3, now: 3)
        state.ended(3, .exited(1), now: 40)

        #expect(impatient == 2.4)
        #expect(state.nextWake == 40.2)
        #expect(state.entries.first?.restarts == 2)
    }

    @Test func `does not wait longer for what was asked to end again and again`() {
        var state = running([plan("store")])

        for (pid, now) in [(1, 1.0), (2, 2.0), (3, 3.0)] {
            state.ended(pid_t(pid), .exited(0), now: now)
            #expect(state.due(now: now + 0.1) == [])
            #expect(state.due(now: now + 0.3).count == 1)
            state.started(state.entries[0].plan.name, pid: pid_t(pid + 1), now: now + 0.3)
        }
    }

    @Test func `sleeps while what waits for a lower stage has nothing else to wait for`() {
        var state = running([plan("store"), plan("service", stage: 1)])

        state.ended(2, .exited(1), now: 10)
        state.ended(1, .exited(1), now: 15)
        let waiting = (state.due(now: 15.1), state.nextWake)
        state.started("store", pid: 3, now: 15.2)

        #expect(waiting.0.isEmpty)
        #expect(waiting.1 == 15.2)
        #expect(state.nextWake == 10.2)
        #expect(state.due(now: 15.2) == [.start(plan("service", stage: 1))])
    }

    @Test func `leaves the other processes alone when one ends`() {
        var state = running([plan("store"), plan("service", stage: 1)])

        state.ended(1, .signalled(SIGKILL), now: 10)

        #expect(state.due(now: 10).isEmpty)
        #expect(state.entries.last?.phase == .running(2, since: 0))
    }

    @Test func `stops the highest stage first and the next when that is gone`() {
        var state = running([plan("store"), plan("service", stage: 1)])

        state.shutDown()
        let first = state.due(now: 1)
        state.ended(2, .exited(0), now: 2)
        let second = state.due(now: 2)
        state.ended(1, .exited(0), now: 3)
        let third = state.due(now: 3)

        #expect(first == [.signal(2, SIGTERM)])
        #expect(second == [.signal(1, SIGTERM)])
        #expect(third == [.finish])
    }

    @Test func `kills once what does not stop in its time`() {
        var state = running([plan("store")])
        state.shutDown()
        _ = state.due(now: 1)

        #expect(state.due(now: 5.9).isEmpty)
        #expect(state.nextWake == 6)
        #expect(state.due(now: 6) == [.signal(1, SIGKILL)])
        #expect(state.due(now: 7).isEmpty)
    }

    @Test func `replaces a process whose build changed and keeps the rest`() {
        let store = plan("store")
        let newBuild = plan("service", stage: 1, build: "2")
        var state = running([store, plan("service", stage: 1)])

        state.planned([store, newBuild], now: 10)
        let stops = state.due(now: 10)
        state.ended(2, .exited(0), now: 11)
        let starts = state.due(now: 11)

        #expect(stops == [.signal(2, SIGTERM)])
        #expect(starts == [.start(newBuild)])
    }

    @Test func `stops what is no longer planned and forgets it`() {
        let store = plan("store")
        var state = running([store, plan("service", stage: 1)])

        state.planned([store], now: 10)
        let stops = state.due(now: 10)
        state.ended(2, .exited(0), now: 11)
        let after = state.due(now: 11)

        #expect(stops == [.signal(2, SIGTERM)])
        #expect(after.isEmpty)
        #expect(state.entries.map(\.plan.name) == ["store"])
    }

    @Test func `tries again when a program cannot be started`() {
        let store = plan("store")
        var state = SupervisorState()
        state.planned([store], now: 0)
        _ = state.due(now: 0)

        state.failedToStart("store", now: 0)

        #expect(state.due(now: 0).isEmpty)
        #expect(state.due(now: 0.2) == [.start(store)])
    }
}

@Suite struct `A restart policy` {
    @Test func `doubles the delay up to its limit`() {
        let policy = RestartPolicy()

        let delays = [1, 2, 3, 7, 1000].map { policy.delay(afterFailures: $0) }

        #expect(delays == [0.2, 0.4, 0.8, 10, 10])
    }
}

@Suite struct `An exit` {
    @Test func `is read from what waitpid reports`() {
        #expect(ExitReason(waitStatus: 0) == .exited(0))
        #expect(ExitReason(waitStatus: 3 << 8) == .exited(3))
        #expect(ExitReason(waitStatus: 9) == .signalled(9))
        #expect(ExitReason(waitStatus: 0x8b) == .signalled(11))
    }
}
