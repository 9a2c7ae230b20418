internal import Time

/// Metrics in Prometheus' text format or in that of OpenMetrics, which has exemplars. Names have a unit in their base form as suffix
/// (`_seconds`), and counters end in `_total`.
package struct PrometheusText: Sendable {
    package enum Kind: String, Sendable { case counter, gauge, histogram }

    private let format: Format
    private var written = ""

    package init(_ format: Format = .prometheus) {
        self.format = format
    }

    /// All that was written, to its end.
    package var text: String { format == .openMetrics ? written + "# EOF\n" : written }

    /// Begins a metric; its samples follow.
    package mutating func family(_ name: String, _ kind: Kind, help: String) {
        let isOpen = format == .openMetrics
        // There the suffix belongs to a counter's samples.
        let name = isOpen && kind == .counter && name.hasSuffix("_total") ? String(name.dropLast(6)) : name
        written += "# HELP \(name) \(PrometheusText.escaped(help, quotes: isOpen))\n# TYPE \(name) \(kind.rawValue)\n"
    }

    package mutating func sample(_ name: String, _ labels: [(String, String)], _ value: Double) {
        add(name, labels, value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)")
    }

    package mutating func sample(_ name: String, _ labels: [(String, String)], _ value: UInt64) {
        add(name, labels, "\(value)")
    }

    /// A histogram of nanoseconds, in seconds.
    package mutating func histogram(
        _ name: String, _ labels: [(String, String)], _ durations: HistogramBuckets, _ exemplars: Exemplars = Exemplars()
    ) {
        var below: UInt64 = 0
        for (place, bound) in BucketBound.all.enumerated() {
            let count = durations.count(upTo: bound.nanoseconds)
            // A value is counted to within a hundredth, which may be on the other side of a bound.
            let exemplar = count > below ? exemplars[place] : nil
            let mark = exemplar.map { marked($0) } ?? ""
            let text = canonical(bound.text)
            add("\(name)_bucket", labels + [("le", text)], "\(count)\(mark)")
            below = count
        }
        sample("\(name)_sum", labels, Double(durations.sum) / 1e9)
        sample("\(name)_count", labels, below)
    }

    /// OpenMetrics writes a bound with its point.
    private func canonical(_ bound: String) -> String {
        format == .openMetrics && bound != "+Inf" && !bound.contains(".") ? bound + ".0" : bound
    }

    /// What stands behind a bucket's count.
    private func marked(_ exemplar: Exemplar) -> String {
        guard format == .openMetrics else { return "" }
        let (value, time) = (Double(exemplar.value) / 1e9, Double(exemplar.recordedAt.microsecondsSinceEpoch) / 1e6)
        return " # {trace_id=\"\(exemplar.traceID)\"} \(value) \(time)"
    }

    private mutating func add(_ name: String, _ labels: [(String, String)], _ value: String) {
        let inner = labels.map { "\($0.0)=\"\(PrometheusText.escaped($0.1, quotes: true))\"" }.joined(separator: ",")
        written += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(inner)} \(value)\n"
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
