package import Foundation

/// What is written to a pipe, in lines, read on a thread of its own, since reading a pipe blocks.
package func readLines(of handle: FileHandle) -> AsyncStream<String> {
    let (stream, continuation) = AsyncStream<String>.makeStream()
    Thread.detachNewThread {
        var rest = ""
        while case let data = handle.availableData, !data.isEmpty {
            rest += String(decoding: data, as: UTF8.self)
            let parts = rest.split(separator: "\n", omittingEmptySubsequences: false)
            for line in parts.dropLast() { continuation.yield(String(line)) }
            rest = String(parts[parts.count - 1])
        }
        continuation.finish()
    }
    return stream
}
