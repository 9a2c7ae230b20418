internal import ArgumentParser
internal import Foundation
internal import LZ4

/// Packs and unpacks a file in blocks, as values are packed one by one.
struct PackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "pack", abstract: "Packs and unpacks the blocks of a file.")

    @Argument(help: "The file.")
    var file: String

    @Option(help: "Bytes of a block.")
    var block = 65_536

    @Option(help: "Seconds for each of the two.")
    var seconds = 1.0

    func run() async throws {
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: file)))
        let blocks = stride(from: 0, to: bytes.count, by: block).map { Array(bytes[$0..<min($0 + block, bytes.count)]) }
        var packed: [[UInt8]] = []
        let packing = rate(bytes.count) {
            packed = blocks.map { LZ4.compress($0.span) ?? $0 }
        }
        let unpacking = try rate(bytes.count) {
            for (whole, small) in zip(blocks, packed) where small.count < whole.count {
                guard try LZ4.decompress(small.span, count: whole.count).count == whole.count else { throw ValidationError("other bytes") }
            }
        }
        let ratio = Double(bytes.count) / Double(packed.reduce(0) { $0 + $1.count })
        print("{\"pack_mb_s\": \(packing), \"unpack_mb_s\": \(unpacking), \"ratio\": \(ratio)}")
    }

    /// The best of the rounds that fit into the time, as `lz4 -b` has it.
    private func rate(_ size: Int, _ work: () throws -> Void) rethrows -> Double {
        var best = Duration.seconds(1_000)
        let end = ContinuousClock.now + .seconds(seconds)
        repeat {
            let start = ContinuousClock.now
            try work()
            best = min(best, ContinuousClock.now - start)
        } while ContinuousClock.now < end
        return Double(size) / 1e6 / (best / .seconds(1))
    }
}
