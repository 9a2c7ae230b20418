internal import BenchmarkSupport
internal import Glibc
internal import HNSW

/// One index under measurement, and the commands that it is measured by.
struct BenchSession {
    let index: HNSWIndex<Int>
    let vectors: VectorFile
    let queries: [[Float]]
    let k: Int
    let threads: Int
    private(set) var buildSeconds = 0.0
    private(set) var buildCPUSeconds = 0.0

    init(index: HNSWIndex<Int>, vectors: VectorFile, queries: [[Float]], k: Int, threads: Int) {
        self.index = index
        self.vectors = vectors
        self.queries = queries
        self.k = k
        self.threads = threads
    }

    mutating func build() throws {
        let start = ContinuousClock.now
        let busy = ProcessTime.now
        // In portions, as an index that follows a table gets them.
        for first in stride(from: 0, to: vectors.count, by: 4096) {
            let keys = first..<min(first + 4096, vectors.count)
            try index.insert(keys.map { (key: $0, vector: vectors[$0]) }, threads: threads)
        }
        buildCPUSeconds = (ProcessTime.now - busy) / .seconds(1)
        buildSeconds = (ContinuousClock.now - start) / .seconds(1)
    }

    /// `search EF TRUTH`: every query once. `TRUTH` is an .ivecs file of the nearest keys, nearest first.
    func perform(_ words: [String]) throws {
        switch words.first {
        case "search" where words.count == 3:
            try search(efSearch: Int(words[1]) ?? 0, truth: VectorFile(words[2]))
        case "validate":
            let faults = index.validate()
            for fault in faults.prefix(5) { complain(fault) }
            answer([("faults", Double(faults.count))])
        default:
            complain("There is no command \(words).")
            answer([])
        }
    }

    private func search(efSearch: Int, truth: VectorFile) throws {
        var (found, comparisons) = (0, 0)
        var results: [SearchResult<Int>] = []
        results.reserveCapacity(queries.count)
        let start = ContinuousClock.now
        let busy = ProcessTime.now
        for query in queries { results.append(try index.search(query, k: k, efSearch: efSearch)) }
        let cpuSeconds = (ProcessTime.now - busy) / .seconds(1)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        for (number, result) in results.enumerated() {
            found += Set(result.map(\.key)).intersection(truth.integers(number).prefix(k)).count
            comparisons += result.comparisons
        }
        answer([
            ("qps", Double(queries.count) / seconds),
            ("cpu_qps", Double(queries.count) / cpuSeconds),
            ("recall", Double(found) / Double(queries.count * k)),
            ("comparisons", Double(comparisons) / Double(queries.count)),
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
