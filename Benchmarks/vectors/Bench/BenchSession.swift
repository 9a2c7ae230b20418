internal import BenchmarkSupport
internal import Glibc
internal import HNSW
internal import Snapshots

/// One index under measurement, and the commands that it is measured by.
struct BenchSession {
    let index: HNSWIndex<Int>
    let vectors: VectorFile
    let queries: [[Float]]
    /// How many of the vectors, from the first one on.
    let count: Int
    let k: Int
    let threads: Int
    private(set) var buildSeconds = 0.0
    private(set) var buildCPUSeconds = 0.0

    init(index: HNSWIndex<Int>, vectors: VectorFile, queries: [[Float]], count: Int, k: Int, threads: Int) {
        self.index = index
        self.vectors = vectors
        self.queries = queries
        self.count = count
        self.k = k
        self.threads = threads
    }

    mutating func build() throws {
        let start = ContinuousClock.now
        let busy = ProcessTime.now
        // In portions, as an index that follows a table gets them.
        for first in stride(from: 0, to: count, by: 1024) {
            let keys = first..<min(first + 1024, count)
            try index.insert(keys.map { (key: $0, vector: vectors[$0]) }, threads: threads)
        }
        buildCPUSeconds = (ProcessTime.now - busy) / .seconds(1)
        buildSeconds = (ContinuousClock.now - start) / .seconds(1)
    }

    /// `TRUTH` is an .ivecs file of the nearest keys, nearest first.
    ///
    ///     search EF TRUTH               every query once
    ///     select SHARE EF TRUTH         the same, among the keys that a share passes
    ///     cached EF                     each of a hundred queries again and again, so that all that it compares is in the cache
    ///     inserts RATE EF TURNS         searches for a second alone, for one beside so many inserts a second, and for one
    ///                                   beside as many into another index, in turns
    ///     churn TIMES                   replaces vectors at random, TIMES as many as there are
    ///     snapshot FOLDER               writes the index to a file and reads it again, as a restart does
    ///     validate
    func perform(_ words: [String]) throws {
        switch (words.first, words.count) {
        case ("search", 3):
            let efSearch = Int(words[1]) ?? 0
            try search(truth: VectorFile(words[2])) { try index.search($0, k: k, efSearch: efSearch) }
        case ("select", 4):
            let share = Double(words[1]) ?? 1
            let efSearch = Int(words[2]) ?? 0
            let selection = KeySelection((0..<count).filter { Self.passes($0, share: share) })
            try search(truth: VectorFile(words[3])) { try index.search($0, k: k, efSearch: efSearch, among: selection) }
        case ("cached", 2):
            try searchInCache(efSearch: Int(words[1]) ?? 0)
        case ("inserts", 4):
            try searchBesideInserts(perSecond: Int(words[1]) ?? 0, efSearch: Int(words[2]) ?? 0, turns: Int(words[3]) ?? 0)
        case ("churn", 2):
            try churn(times: Double(words[1]) ?? 0)
        case ("snapshot", 2):
            try snapshot(in: String(words[1]))
        case ("validate", 1):
            let faults = index.validate()
            for fault in faults.prefix(5) { complain(fault) }
            answer([("faults", Double(faults.count))])
        default:
            complain("There is no command \(words).")
            answer([])
        }
    }

    /// The same keys in every program: Knuth's multiplicative hash is below the share.
    private static func passes(_ key: Int, share: Double) -> Bool {
        Double(UInt32(truncatingIfNeeded: key) &* 2_654_435_761) < share * 0x1p32
    }

    private func search(truth: VectorFile, _ search: ([Float]) throws -> SearchResult<Int>) throws {
        // Once unmeasured: a selection is looked up at its first use, and memory is in the caches then as for the next round.
        for query in queries.prefix(queries.count / 10) { _ = try search(query) }
        var (found, wanted, comparisons) = (0, 0, 0)
        var results: [SearchResult<Int>] = []
        results.reserveCapacity(queries.count)
        let start = ContinuousClock.now
        let busy = ProcessTime.now
        for query in queries { results.append(try search(query)) }
        let cpuSeconds = (ProcessTime.now - busy) / .seconds(1)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        for (number, result) in results.enumerated() {
            let nearest = truth.integers(number).prefix(k)
            found += Set(result.map(\.key)).intersection(nearest).count
            wanted += nearest.count
            comparisons += result.comparisons
        }
        answer([
            ("qps", Double(queries.count) / seconds),
            ("cpu_qps", Double(queries.count) / cpuSeconds),
            ("recall", Double(found) / Double(wanted)),
            ("comparisons", Double(comparisons) / Double(queries.count)),
            ("returned", Double(results.reduce(0) { $0 + $1.count }) / Double(queries.count)),
        ])
    }

    /// What a search costs that waits for no memory.
    private func searchInCache(efSearch: Int) throws {
        let times = 20
        var cpuTime = Duration.zero
        let first = queries.prefix(100)
        for query in first {
            _ = try index.search(query, k: k, efSearch: efSearch)
            let busy = ProcessTime.now
            for _ in 0..<times { _ = try index.search(query, k: k, efSearch: efSearch) }
            cpuTime += ProcessTime.now - busy
        }
        answer([("cpu_qps", Double(first.count * times) / (cpuTime / .seconds(1)))])
    }

    /// What searches lose to a writer: the rate and the p99 beside it as shares of those a moment before. Beside a writer of another index they lose what
    /// the processor and its caches are shared for, and wait for nothing.
    private func searchBesideInserts(perSecond: Int, efSearch: Int, turns: Int) throws {
        let other = try HNSWIndex<Int>(index.configuration.inMemory)
        try other.insert((0..<min(count, 50_000)).map { (key: $0, vector: vectors[$0]) }, threads: threads)
        var (alone, beside, besideOther): ([SearchTurn], [SearchTurn], [SearchTurn]) = ([], [], [])
        var inserted: [Double] = []
        for _ in 0..<max(1, turns) {
            alone.append(try searchForASecond(efSearch: efSearch))
            let (turn, count) = try searchForASecond(efSearch: efSearch, insertingInto: index, perSecond)
            beside.append(turn)
            inserted.append(Double(count) / turn.seconds)
            besideOther.append(try searchForASecond(efSearch: efSearch, insertingInto: other, perSecond).0)
        }
        let pairs = Array(zip(alone, beside)), otherPairs = Array(zip(alone, besideOther))
        answer([
            ("qps_alone", Self.median(alone.map(\.rate))), ("qps_beside", Self.median(beside.map(\.rate))),
            ("p99_alone_ms", Self.median(alone.map(\.p99))), ("p99_beside_ms", Self.median(beside.map(\.p99))),
            ("rate_kept", Self.median(pairs.map { $1.rate / $0.rate })), ("p99_ratio", Self.median(pairs.map { $1.p99 / $0.p99 })),
            ("rate_kept_other", Self.median(otherPairs.map { $1.rate / $0.rate })),
            ("p99_ratio_other", Self.median(otherPairs.map { $1.p99 / $0.p99 })),
            ("inserted_per_second", Self.median(inserted)),
        ])
    }

    /// How many there were, too.
    private func searchForASecond(
        efSearch: Int, insertingInto index: HNSWIndex<Int>, _ perSecond: Int
    ) throws -> (SearchTurn, Int) {
        let inserts = Inserts(perSecond, into: index, from: vectors)
        inserts.start()
        let turn = try searchForASecond(efSearch: efSearch)
        return (turn, inserts.stop())
    }

    /// One second of searches, one after the other.
    private struct SearchTurn {
        let seconds: Double
        /// Searches a second.
        let rate: Double
        /// In milliseconds.
        let p99: Double
    }

    private func searchForASecond(efSearch: Int) throws -> SearchTurn {
        var times: [Double] = []
        let start = ContinuousClock.now
        var now = start
        while now - start < .seconds(1) {
            _ = try index.search(queries[times.count % queries.count], k: k, efSearch: efSearch)
            let end = ContinuousClock.now
            times.append((end - now) / .milliseconds(1))
            now = end
        }
        let seconds = (now - start) / .seconds(1)
        times.sort()
        return SearchTurn(seconds: seconds, rate: Double(times.count) / seconds, p99: times[times.count * 99 / 100])
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    /// Takes a vector out and puts it in again, so that the truth stays what it is.
    private func churn(times: Double) throws {
        var generator = SystemRandomNumberGenerator()
        let changes = Int(Double(count) * times)
        let start = ContinuousClock.now
        // A tenth of the set is out at a time, so that those that come do not find what they had.
        var out: [Int] = []
        for _ in 0..<changes {
            let key = Int.random(in: 0..<count, using: &generator)
            if index.remove(key) { out.append(key) }
            if out.count > count / 10 {
                let back = Int.random(in: 0..<out.count, using: &generator)
                out.swapAt(back, out.count - 1)
                let key = out.removeLast()
                try index.insert(vectors[key], for: key)
            }
        }
        for key in out { try index.insert(vectors[key], for: key) }
        answer([("replaced", Double(changes)), ("seconds", (ContinuousClock.now - start) / .seconds(1))])
    }

    /// How long writers wait for a snapshot, how long the disk takes for it, and how long a start reads until the first search is answered.
    private func snapshot(in folder: String) throws {
        let header = SnapshotHeader(subject: index.configuration.layout, position: 1, writtenAt: 0)
        let name = "bench.snapshot"
        var (taken, written, answered) = (0.0, 0.0, 0.0)
        var start = ContinuousClock.now
        let writer = try SnapshotWriter(header, in: folder, as: name)
        try index.forEachPart { part, bytes throws(SnapshotError) in try writer.append(bytes, to: part.rawValue) }
        try writer.close()
        taken = (ContinuousClock.now - start) / .seconds(1)
        let byteCount = try writer.putInPlace()
        written = (ContinuousClock.now - start) / .seconds(1)

        start = ContinuousClock.now
        guard let reader = try SnapshotReader.open("\(folder)/\(name)") else { return complain("The snapshot is not there.") }
        let read = try HNSWIndex<Int>(index.configuration) {
            reader.byteCount(of: $0.rawValue)
        } fill: { part, place in
            try reader.read(part.rawValue, into: &place, threads: threads)
        }
        let first = try read.search(queries[0], k: k)
        answered = (ContinuousClock.now - start) / .seconds(1)
        let same = try queries.prefix(100).count { try read.search($0, k: k).matches == index.search($0, k: k).matches }
        try SnapshotWriter.remove("\(folder)/\(name)")
        answer([
            ("writers_wait_seconds", taken), ("write_seconds", written), ("start_seconds", answered), ("bytes", Double(byteCount)),
            ("found", Double(first.count)), ("same", Double(same)),
        ])
    }

    func answer(_ figures: [(String, Double)]) {
        print("{" + figures.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}")
        _ = fflush(nil)
    }

    private func complain(_ sentence: String) {
        let line = Array((sentence + "\n").utf8)
        unsafe _ = write(STDERR_FILENO, line, line.count)
    }
}

extension HNSWConfiguration {
    fileprivate var inMemory: HNSWConfiguration {
        var configuration = self
        configuration.vectorFolder = nil
        return configuration
    }
}
