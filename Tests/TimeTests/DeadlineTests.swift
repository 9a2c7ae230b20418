import Testing
@testable import Time

@Suite struct `A deadline` {
    @Test func `has time left until it passes`() {
        #expect(!Deadline.after(.seconds(3_600)).hasPassed)
        #expect(Deadline.after(.seconds(-1)).hasPassed)
        #expect(Deadline.after(.zero - .seconds(1)).remaining < .zero)
    }

    @Test func `yields to an earlier one`() {
        let soon = Deadline.after(.seconds(1))
        let late = Deadline.after(.seconds(100))

        #expect(Deadline.earlier(soon, late) == soon)
        #expect(Deadline.earlier(late, soon) == soon)
        #expect(Deadline.earlier(nil, late) == late)
        #expect(Deadline.earlier(nil, nil) == nil)
    }

    @Test func `travels with the task and its children`() async {
        let deadline = Deadline.after(.seconds(10))

        await Deadline.with(deadline) {
            async let seen = Deadline.current
            #expect(await seen == deadline)
        }

        #expect(Deadline.current == nil)
    }

    @Test func `takes a duration of any size`() {
        #expect(!Deadline.after(.seconds(Int64.max)).hasPassed)
    }
}

@Suite struct `A duration` {
    @Test(arguments: [
        (Duration.nanoseconds(1), 0, 1), (.microseconds(1), 1, 1), (.milliseconds(5), 5_000, 5),
        (.seconds(Int64.max), .max, .max),
        (.microseconds(-1_500), -1_500, -1),
    ] as [(Duration, Int64, Int64)])
    func `is rounded in the direction its name says`(duration: Duration, microseconds: Int64, milliseconds: Int64) {
        #expect(duration.wholeMicroseconds == microseconds)
        #expect(duration.millisecondsRoundedUp == milliseconds)
    }
}
