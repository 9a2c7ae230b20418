import Testing
import Time

@Suite struct `The stages of a piece of work` {
    @Test func `are those that any part of it is in`() {
        let stages = StageCounts()

        let before = stages.current
        for stage in [WorkStage.call, .pool, .call] { stages.entered(stage) }
        let both = stages.current
        stages.left(.call)
        stages.left(.pool)
        let one = stages.current
        stages.left(.call)
        let after = stages.current

        #expect(before.isEmpty)
        #expect(both == [.pool, .call])
        #expect(one == [.call])
        #expect(after.isEmpty)
    }
}
