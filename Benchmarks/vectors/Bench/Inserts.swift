internal import BenchmarkSupport
internal import Dispatch
internal import Glibc
internal import HNSW
internal import Synchronization

/// Inserts so many vectors a second on a thread of its own, until it is stopped, and takes them out again then.
final class Inserts: Sendable {
    private let index: HNSWIndex<Int>
    private let vectors: VectorFile
    private let perSecond: Int
    /// Nothing has a key from here on.
    private let firstKey: Int
    private let isStopped = Atomic(false)
    private let count = Atomic(0)
    private let ended = DispatchSemaphore(value: 0)

    init(_ perSecond: Int, into index: HNSWIndex<Int>, from vectors: VectorFile) {
        self.index = index
        self.vectors = vectors
        self.perSecond = perSecond
        firstKey = vectors.count
    }

    func start() {
        DispatchQueue.global().async { [self] in
            run()
            ended.signal()
        }
    }

    /// How many there were.
    func stop() -> Int {
        isStopped.store(true, ordering: .releasing)
        ended.wait()
        let inserted = count.load(ordering: .acquiring)
        for number in 0..<inserted { index.remove(firstKey + number) }
        return inserted
    }

    private func run() {
        let start = ContinuousClock.now
        while !isStopped.load(ordering: .acquiring) {
            let due = Int((ContinuousClock.now - start) / .seconds(1) * Double(perSecond))
            let inserted = count.load(ordering: .relaxed)
            guard inserted < due else {
                usleep(100)
                continue
            }
            do throws(HNSWError) {
                try index.insert(vector(), for: firstKey + inserted)
            } catch {
                // That there were too few shows it.
                return
            }
            count.store(inserted + 1, ordering: .releasing)
        }
    }

    /// One between two of the file's, so that it is none that is there.
    private func vector() -> [Float] {
        let one = vectors[Int.random(in: 0..<vectors.count)]
        let other = vectors[Int.random(in: 0..<vectors.count)]
        return zip(one, other).map { 0.7 * $0 + 0.3 * $1 }
    }
}
