internal import Synchronization
internal import TestSupport
internal import Testing

@testable internal import Vectors

@Suite struct `A shared reading` {
    private struct Unreachable: Error {}

    private final class Readings: Sendable {
        private let made = Atomic(0)
        var count: Int { made.load(ordering: .relaxed) }
        func next() -> Int { made.add(1, ordering: .relaxed).newValue }
    }

    @Test func `is made once for those who ask while another is under way, and after they asked`() async throws {
        let reading = SharedReading<Int>()
        let readings = Readings()
        let (gate, opener) = AsyncStream.makeStream(of: Void.self)

        let values = try await withThrowingTaskGroup(of: Int?.self) { group in
            group.addTask {
                await reading.value {
                    let number = readings.next()
                    for await _ in gate { break }
                    return number
                }
            }
            try await until { readings.count == 1 }
            for _ in 0..<20 {
                group.addTask { await reading.value { readings.next() } }
            }
            try await until { reading.waiterCount == 20 }
            opener.yield()
            return try await group.reduce(into: []) { $0.append($1) }
        }

        #expect(values.filter { $0 == 1 }.count == 1)
        #expect(values.filter { $0 == 2 }.count == 20)
        #expect(await reading.value { 7 } == 7)
    }

    @Test func `that fails tells nobody anything, and the next one is made`() async {
        let reading = SharedReading<Int>()

        #expect(await reading.value { throw Unreachable() } == nil)
        #expect(await reading.value { 3 } == 3)
    }
}
