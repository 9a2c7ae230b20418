import Testing
@testable import Postgres

@Suite struct `A queue of rows for batches` {
    private let start = ContinuousClock.now
    private let ada = Identity([("heartguard.user_id", "ada")])
    private let bob = Identity([("heartguard.user_id", "bob")])

    private func queue(
        rows: Int = 3, bytes: Int = 1_000, queued: Int = 10, queuedBytes: Int = 1_000_000, inFlight: Int = 1
    ) -> BatchQueue<String> {
        BatchQueue(configuration: BatchConfiguration(
            maximumRows: rows, maximumBytes: bytes, maximumAge: .milliseconds(10), maximumQueued: queued,
            maximumQueuedBytes: queuedBytes, maximumInFlight: inFlight
        ))
    }

    private func entry(_ id: Int, bytes: Int = 1, at milliseconds: Int = 0) -> BatchQueue<String>.Entry {
        .init(id: id, record: "\(id)", bytes: bytes, arrival: start + .milliseconds(milliseconds))
    }

    private func ids(_ batch: BatchQueue<String>.Batch?) -> [Int]? { batch?.entries.map(\.id) }

    @Test func `gives a batch at once when it is complete, and otherwise by its age`() {
        var queue = queue()
        for id in 1...4 { _ = queue.add(entry(id), of: ada) }

        #expect(ids(queue.take(at: start)) == [1, 2, 3])
        queue.written()
        #expect(ids(queue.take(at: start)) == nil)
        #expect(queue.nextDate() == start + .milliseconds(10))
        #expect(ids(queue.take(at: start + .milliseconds(10))) == [4])
    }

    @Test func `gives a batch at once when its bytes are enough, and no row behind the one that completes it`() {
        var queue = queue(rows: 100, bytes: 10)
        for (id, bytes) in [(1, 4), (2, 5)] { _ = queue.add(entry(id, bytes: bytes), of: ada) }

        #expect(ids(queue.take(at: start)) == nil)
        for (id, bytes) in [(3, 1), (4, 50), (5, 1)] { _ = queue.add(entry(id, bytes: bytes), of: ada) }
        #expect(ids(queue.take(at: start)) == [1, 2, 3])
        queue.written()
        #expect(ids(queue.take(at: start)) == [4])
        queue.written()
        #expect(ids(queue.take(at: start)) == nil)
        #expect(queue.count == 1 && queue.bytes == 1)
    }

    @Test func `keeps identities apart and serves the oldest first`() {
        var queue = queue(inFlight: 2)
        _ = queue.add(entry(1), of: ada)
        for id in 2...4 { _ = queue.add(entry(id, at: 1), of: bob) }

        let first = queue.take(at: start + .milliseconds(10))
        let second = queue.take(at: start + .milliseconds(10))

        #expect(first?.identity == ada && ids(first) == [1])
        #expect(second?.identity == bob && ids(second) == [2, 3, 4])
    }

    @Test func `writes no more batches at a time than it may`() {
        var queue = queue(rows: 1)
        for id in 1...2 { _ = queue.add(entry(id), of: ada) }

        #expect(ids(queue.take(at: start)) == [1])
        #expect(ids(queue.take(at: start)) == nil)
        #expect(queue.nextDate() == nil)
        queue.written()
        #expect(ids(queue.take(at: start)) == [2])
    }

    @Test func `refuses what is more than it may hold`() {
        var queue = queue(queued: 2)

        let isDone1 = queue.add(entry(1), of: ada)
        #expect(isDone1)
        let isDone2 = queue.add(entry(2), of: bob)
        #expect(isDone2)
        let isTaken1 = queue.add(entry(3), of: ada)
        #expect(!isTaken1)
        #expect(queue.count == 2)
    }

    @Test func `refuses a row whose bytes are more than may wait, unless it waits alone`() {
        var queue = queue(bytes: 1_000, queuedBytes: 10)

        let isHugeTaken = queue.add(entry(1, bytes: 50), of: ada)
        let isSmallTaken = queue.add(entry(2), of: ada)
        let isHugeGivenBack = queue.remove(1, of: ada)
        let isThirdTaken = queue.add(entry(3, bytes: 6), of: ada)
        let isFourthTaken = queue.add(entry(4, bytes: 4), of: bob)
        let isOneMoreTaken = queue.add(entry(5), of: bob)

        #expect(isHugeTaken && !isSmallTaken && isHugeGivenBack)
        #expect(isThirdTaken && isFourthTaken && !isOneMoreTaken)
        #expect(queue.bytes == 10)
    }

    @Test func `gives back what has not been taken, and only that`() {
        var queue = queue()
        for id in 1...2 { _ = queue.add(entry(id), of: ada) }

        let isDone3 = queue.remove(1, of: ada)
        #expect(isDone3)
        #expect(ids(queue.take(at: start + .seconds(1))) == [2])
        let isTaken2 = queue.remove(2, of: ada)
        #expect(!isTaken2)
        #expect(queue.count == 0)
    }

    @Test func `does not grow while something always waits`() {
        var queue = queue(rows: 1)
        _ = queue.add(entry(0), of: ada)

        for id in 1...10_000 {
            _ = queue.add(entry(id, at: id), of: id % 2 == 0 ? ada : bob)
            #expect(ids(queue.take(at: start + .seconds(60))) == [id - 1])
            queue.written()
        }

        #expect(queue.count == 1)
        #expect(queue.lineCount < 200)
    }

    @Test func `is drained without waiting for ages, and finished when all is written`() {
        var queue = queue()
        for id in 1...4 { _ = queue.add(entry(id), of: ada) }

        queue.drain()

        let isTaken3 = queue.add(entry(5), of: ada)
        #expect(!isTaken3)
        #expect(ids(queue.take(at: start)) == [1, 2, 3])
        queue.written()
        #expect(ids(queue.take(at: start)) == [4])
        #expect(!queue.isFinished)
        queue.written()
        #expect(queue.isFinished)
    }

    @Test func `loses and doubles nothing in a random course`() {
        var random = SystemRandomNumberGenerator()
        var queue = queue(rows: 4, bytes: 10, queued: 1_000_000, inFlight: 3)
        var taken: [Int] = [], removed: [Int] = [], added: [Int: Identity] = [:]
        let identities = (0..<5).map { Identity([("heartguard.user_id", "\($0)")]) }

        for id in 0..<5_000 {
            let identity = identities.randomElement(using: &random) ?? ada
            if queue.add(entry(id, bytes: id % 12, at: id), of: identity) { added[id] = identity }
            if let victim = added.keys.randomElement(), Bool.random(using: &random),
               queue.remove(victim, of: added[victim] ?? ada) { removed.append(victim) }
            if let batch = queue.take(at: start + .milliseconds(id)) {
                taken += batch.entries.map(\.id)
                #expect(batch.entries.allSatisfy { added[$0.id] == batch.identity })
                #expect(batch.entries.count <= 4)
                #expect(batch.entries.dropLast().map(\.bytes).reduce(0, +) < 10)
            }
            if queue.inFlight > 0, Bool.random(using: &random) { queue.written() }
        }
        queue.drain()
        while !queue.isFinished {
            while let batch = queue.take(at: start) { taken += batch.entries.map(\.id) }
            queue.written()
        }

        #expect((taken + removed).sorted() == Array(0..<5_000))
        #expect(queue.bytes == 0)
    }
}
