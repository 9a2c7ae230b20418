import Testing

@testable import Resilience

@Suite struct `A store that every call asks` {
    @Test func `is left after one call that was not answered, and the outage is counted once`() {
        var condition = StoreCondition()

        let begins = [condition.callFailed(), condition.callFailed(), condition.probed(.failed)]

        #expect(begins == [true, false, false])
        #expect(condition.standing == .down)
    }

    @Test func `is asked again once a probe was answered in time, and not when it was late`() {
        var condition = StoreCondition()
        _ = condition.callFailed()

        _ = condition.probed(.answeredLate)
        #expect(condition.standing == .suspected)
        _ = condition.probed(.failed)
        #expect(condition.standing == .down)
        _ = condition.probed(.answeredLate)
        #expect(condition.standing == .suspected)
        _ = condition.probed(.answered)
        #expect(condition.standing == .up)
    }

    @Test func `is left when a probe finds out before any call does`() {
        var condition = StoreCondition()

        let begins = condition.probed(.failed)

        #expect(begins)
        #expect(condition.standing == .down)
    }

    @Test func `stays while it answers late and no call complains`() {
        var condition = StoreCondition()

        _ = condition.probed(.answeredLate)

        #expect(condition.standing == .up)
    }
}
