internal import Foundation

/// What a command says while it works: one line a step, flushed at once, so that a pipe shows it too.
struct Progress: Sendable {
    func title(_ text: String) { line(text) }

    func step(_ subject: String, _ text: String) {
        line("  \(subject.padded(to: 14)) \(text)")
    }

    func line(_ text: String) {
        FileHandle.standardOutput.say(text)
    }
}

extension String {
    /// With spaces behind it where it is shorter; what is longer stays whole.
    func padded(to length: Int) -> String { self + String(repeating: " ", count: max(0, length - count)) }
}

extension FileHandle {
    /// Writes a line if it can be written. `write(_:)` ends the program where it cannot, as on a full disk; and what cannot be said has nowhere to
    /// say so.
    func say(_ line: String) { try? write(contentsOf: Data("\(line)\n".utf8)) }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }

    /// For example "4.2 ms".
    var milliseconds: String { "\((seconds * 1000).formatted(.number.precision(.fractionLength(1)))) ms" }

    /// For example "0.42 s".
    var shown: String { "\(seconds.formatted(.number.precision(.fractionLength(2)))) s" }
}

extension BinaryInteger {
    /// For example "34,890".
    var shown: String { Int64(self).formatted(.number.grouping(.automatic).locale(Locale(identifier: "en_US"))) }
}
