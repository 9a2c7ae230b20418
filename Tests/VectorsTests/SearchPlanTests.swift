internal import Testing

@testable internal import Vectors

@Suite struct `The plan of a search` {
    @Test(arguments: [
        (1, 1_000_000, 100, .scan),
        (10_000, 1_000_000, 100, .scan),
        (100_000, 1_000_000, 100, .walk),
        (500_000, 1_000_000, 100, .walk),
        (100_000, 1_000_000, 10_000, .scan),
        (500, 2_426, 100, .scan),
        (2_400, 2_426, 100, .walk),
    ] as [(Int, Int, Int, SearchPlan)])
    func `compares each where that is less than a walk would compare`(
        _ passing: Int, _ count: Int, _ effort: Int, _ plan: SearchPlan
    ) {
        #expect(SearchPlan(passing: passing, of: count, effort: effort) == plan)
    }
}
