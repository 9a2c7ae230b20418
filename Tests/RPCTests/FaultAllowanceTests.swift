import Testing

@testable import RPC

@Suite struct `An allowance of faults` {
    @Test func `is used up by a burst and grows again with time`() {
        var allowance = FaultAllowance(burst: 3, perSecond: 2)

        let burst = (0..<5).map { _ in allowance.take(at: .zero) }
        let later = (0..<3).map { _ in allowance.take(at: .seconds(1)) }

        #expect(burst == [true, true, true, false, false])
        #expect(later == [true, true, false])
    }

    @Test func `never grows beyond its burst`() {
        var allowance = FaultAllowance(burst: 3, perSecond: 2)
        _ = allowance.take(at: .zero)

        let later = (0..<5).map { _ in allowance.take(at: .seconds(1_000)) }

        #expect(later == [true, true, true, false, false])
    }
}
