/// Metrics in Prometheus' text format, version 0.0.4. Names have a unit in their base form as suffix (`_seconds`), and counters end in
/// `_total`.
package struct PrometheusText: Sendable {
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    package enum Kind: String, Sendable { case counter, gauge, histogram }

    package private(set) var text = ""

    package init() {}

    /// Begins a metric; its samples follow.
    package mutating func family(_ name: String, _ kind: Kind, help: String) {
        text += "# HELP \(name) \(PrometheusText.escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
    }

    package mutating func sample(_ name: String, _ labels: [(String, String)], _ value: Double) {
        add(name, labels, value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)")
    }

    package mutating func sample(_ name: String, _ labels: [(String, String)], _ value: UInt64) {
        add(name, labels, "\(value)")
    }

    /// A histogram of nanoseconds, in seconds.
    package mutating func histogram(_ name: String, _ labels: [(String, String)], _ durations: HistogramBuckets) {
        for (bound, text) in PrometheusText.bounds {
            sample("\(name)_bucket", labels + [("le", text)], durations.count(upTo: bound))
        }
        let count = durations.count(upTo: .max)
        sample("\(name)_bucket", labels + [("le", "+Inf")], count)
        sample("\(name)_sum", labels, Double(durations.sum) / 1e9)
        sample("\(name)_count", labels, count)
    }

    /// In nanoseconds, and as Prometheus has them: those of its client libraries, and one below.
    private static let bounds: [(UInt64, String)] = [
        (1_000_000, "0.001"), (5_000_000, "0.005"), (10_000_000, "0.01"), (25_000_000, "0.025"), (50_000_000, "0.05"),
        (100_000_000, "0.1"), (250_000_000, "0.25"), (500_000_000, "0.5"), (1_000_000_000, "1"), (2_500_000_000, "2.5"),
        (5_000_000_000, "5"), (10_000_000_000, "10"),
    ]

    private mutating func add(_ name: String, _ labels: [(String, String)], _ value: String) {
        let inner = labels.map { "\($0.0)=\"\(PrometheusText.escaped($0.1, quotes: true))\"" }.joined(separator: ",")
        text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(inner)} \(value)\n"
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "\\": escaped += "\\\\"
            case "\n", "\r\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
