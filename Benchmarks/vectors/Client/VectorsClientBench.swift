internal import ArgumentParser
internal import BenchmarkSupport
internal import Contracts
internal import Glibc
internal import Logging
internal import RPC

/// What `make bench-vectors` measures of ours behind gRPC: searches a collection of a running Vectors over one connection, told by
/// standard input as `hnsw-bench` is, and answers each line with one object of JSON. Documents' ids are their keys.
///
///     search EF TRUTH [ids]     every query once, so many open at a time; ids: without the documents
///     latency EF [ids]          every query once, one at a time
@main
struct VectorsClientBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vectors-client-bench", abstract: "Searches a running Vectors, told by standard input.")

    @Option(help: "The port of Vectors on 127.0.0.1.")
    var port: Int

    @Option(help: "The file of the certificate authority that Vectors' certificate is of.")
    var authority: String

    @Option(help: "The environment's variable that holds an access token.")
    var tokenVariable = "HEARTGUARD_BENCH_TOKEN"

    @Option var collection: String
    @Option var model: String
    @Option(help: "What is searched for, as .fvecs.") var queries: String
    @Option(help: "Neighbours that are asked for.") var k = 10
    @Option(help: "Calls open at a time.") var concurrency = 8

    func run() async throws {
        guard let token = unsafe getenv(tokenVariable).map({ unsafe String(cString: $0) }) else {
            throw ValidationError("\(tokenVariable) is not set.")
        }
        let channel = RPCChannel(
            target: (host: "127.0.0.1", port: port), tls: ClientTLS(trustRoots: authority),
            logger: Logger(label: "vectors-client-bench"))
        let options = CallOptions(metadata: ["authorization": "Bearer \(token)"])
        let vectors = try VectorFile(queries).all
        while let line = readLine() {
            var words = line.split(separator: " ").map(String.init)
            let view: VectorsV1.MatchView = words.last == "ids" ? .id : .full
            if view == .id { words.removeLast() }
            guard words.count > 1, let effort = Int32(words[1]) else { continue }
            let requests = vectors.map {
                VectorsV1.SearchRequest(
                    collection: collection, modelId: model, embedding: $0, limit: Int32(k), efSearch: effort, view: view)
            }
            // Once unmeasured, as with the others.
            _ = try await search(requests.prefix(requests.count / 10), channel, options, open: concurrency)
            switch (words[0], words.count) {
            case ("search", 3): try await searchAll(requests, channel, options, truth: VectorFile(words[2]))
            case ("latency", 2): try await searchOneByOne(requests, channel, options)
            default: answer([])
            }
        }
        await channel.close()
    }

    private func searchAll(
        _ requests: [VectorsV1.SearchRequest], _ channel: RPCChannel, _ options: CallOptions, truth: VectorFile
    ) async throws {
        let start = ContinuousClock.now
        let busy = ProcessTime.now
        let found = try await search(requests[...], channel, options, open: concurrency)
        let cpuSeconds = (ProcessTime.now - busy) / .seconds(1)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        var (hits, wanted) = (0, 0)
        for (number, keys) in found {
            let nearest = truth.integers(number).prefix(k)
            hits += Set(keys).intersection(nearest).count
            wanted += nearest.count
        }
        answer([
            ("qps", Double(requests.count) / seconds), ("recall", Double(hits) / Double(wanted)),
            ("client_busy", cpuSeconds / seconds),
        ])
    }

    private func searchOneByOne(
        _ requests: [VectorsV1.SearchRequest], _ channel: RPCChannel, _ options: CallOptions
    ) async throws {
        let client = VectorsV1.VectorsServiceClient(channel)
        var times: [Double] = []
        for request in requests {
            let start = ContinuousClock.now
            _ = try await client.search(request, options: options)
            times.append((ContinuousClock.now - start) / .milliseconds(1))
        }
        times.sort()
        answer([("p50_ms", times[times.count / 2]), ("p99_ms", times[times.count * 99 / 100])])
    }

    /// The keys that each request found, by its number.
    private func search(
        _ requests: ArraySlice<VectorsV1.SearchRequest>, _ channel: RPCChannel, _ options: CallOptions, open: Int
    ) async throws -> [(Int, [Int])] {
        let client = VectorsV1.VectorsServiceClient(channel)
        return try await withThrowingTaskGroup(of: [(Int, [Int])].self) { group in
            for first in 0..<open {
                group.addTask(executorPreference: channel.taskExecutor) {
                    var found: [(Int, [Int])] = []
                    for number in stride(from: first, to: requests.count, by: open) {
                        let answer = try await client.search(requests[number], options: options)
                        found.append((number, answer.matches.compactMap { Int($0.id) }))
                    }
                    return found
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    private func answer(_ figures: [(String, Double)]) {
        print("{" + figures.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}")
        _ = fflush(nil)
    }
}
