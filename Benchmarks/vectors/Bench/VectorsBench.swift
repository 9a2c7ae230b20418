internal import ArgumentParser
internal import BenchmarkSupport
internal import Glibc
internal import HNSW

/// What `make bench-vectors` measures of ours: builds an index, then does what it is told on standard input, a line a
/// command, and answers each with one object of JSON. `Benchmarks/vectors/peers/index.py` does the same with other indexes.
@main
struct VectorsBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hnsw-bench", abstract: "Builds an index and searches it, told by standard input.")

    @Option(help: "The vectors, as .fvecs; their keys are their positions.")
    var base: String

    @Option(help: "What is searched for, as .fvecs.")
    var queries: String

    @Option(help: "How the nearest is meant: cosine, innerProduct or euclidean.")
    var metric = "cosine"

    @Option(help: "What is kept of a vector: float32, int8 or int8OverBFloat16.")
    var representation = "int8"

    @Option(help: "A folder for the file of the vectors; in memory without.")
    var folder: String?

    @Option(help: "How many of the vectors; all without.")
    var count: Int?

    @Option var m = 16
    @Option var efConstruction = 200
    @Option(help: "Threads that build.") var threads = 2
    @Option(help: "Neighbours that are asked for.") var k = 10

    func run() throws {
        let vectors = try VectorFile(base)
        let questions = try VectorFile(queries)
        let before = ProcessMemory.now
        let index = try HNSWIndex<Int>(
            HNSWConfiguration(
                dimension: vectors.dimension, metric: Metric(rawValue: metric) ?? .cosine, m: m,
                efConstruction: efConstruction, representation: kept, vectorFolder: folder))
        var session = BenchSession(index: index, vectors: vectors, queries: questions.all, count: min(count ?? .max, vectors.count), k: k, threads: threads)
        try session.build()
        session.answer([
            ("seconds", session.buildSeconds),
            ("cpu_seconds", session.buildCPUSeconds),
            ("anonymous_bytes", Double(ProcessMemory.now.anonymous - before.anonymous)),
            ("file_bytes", Double(ProcessMemory.now.file - before.file)),
        ])
        while let line = readLine() {
            try session.perform(line.split(separator: " ").map(String.init))
        }
    }

    private var kept: Representation {
        switch representation {
        case "float32": .float32
        case "int8OverBFloat16": .int8OverBFloat16
        default: .int8
        }
    }
}
