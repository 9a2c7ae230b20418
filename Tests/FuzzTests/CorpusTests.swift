import Foundation
import Testing

/// The inputs that `make fuzz` begins with, among them every one that once was a finding, and a few seconds of changes
/// to them. It needs no fuzzer's runtime, and keeps the targets working.
@Suite struct `A fuzz target` {
    @Test(arguments: FuzzTarget.allCases)
    func `has no finding in its corpus`(target: FuzzTarget) throws {
        let run = target.runner()
        let corpus = try Corpus.inputs(of: target)

        #expect(!corpus.isEmpty)
        for input in corpus {
            do { try run(input.bytes) } catch { Issue.record("\(input.name): \(error)") }
        }
    }

    @Test(arguments: FuzzTarget.allCases)
    func `has no finding near its corpus`(target: FuzzTarget) async throws {
        let run = target.runner()
        let corpus = try Corpus.inputs(of: target).map(\.bytes).filter { $0.count < 10_000 }
        var random = SplitMix(state: UInt64.random(in: 0...UInt64.max))
        let seed = random.state

        for round in 0..<5_000 {
            // Other tests have threads to run on in between.
            if round % 16 == 0 { await Task.yield() }
            guard var bytes = corpus.randomElement(using: &random) else { return }
            for _ in 0...Int.random(in: 0...3, using: &random) { Corpus.change(&bytes, with: corpus, &random) }
            do { try run(bytes) } catch {
                Issue.record("seed \(seed), round \(round): \(error), from \(Data(bytes).base64EncodedString())")
                return
            }
        }
    }
}

enum Corpus {
    static func inputs(of target: FuzzTarget) throws -> [(name: String, bytes: [UInt8])] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Corpus/\(target.rawValue)")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        return try files.map { ($0.lastPathComponent, [UInt8](try Data(contentsOf: $0))) }.sorted { $0.0 < $1.0 }
    }

    /// Overwrites, removes, repeats or splices a few bytes.
    static func change(_ bytes: inout [UInt8], with corpus: [[UInt8]], _ random: inout SplitMix) {
        guard let index = bytes.indices.randomElement(using: &random) else {
            bytes = [UInt8.random(in: 0...255, using: &random)]
            return
        }
        switch Int.random(in: 0...4, using: &random) {
        case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes[index] ^= 1 << UInt8.random(in: 0...7, using: &random)
        case 2: bytes.removeSubrange(index..<min(bytes.count, index + Int.random(in: 1...8, using: &random)))
        case 3: bytes.insert(contentsOf: bytes[index...].prefix(Int.random(in: 1...32, using: &random)), at: index)
        default: bytes.replaceSubrange(index..., with: corpus.randomElement(using: &random)?.dropFirst(index) ?? [])
        }
    }
}

/// A generator whose sequence a printed seed brings back (SplitMix64).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return bits ^ (bits >> 31)
    }
}
