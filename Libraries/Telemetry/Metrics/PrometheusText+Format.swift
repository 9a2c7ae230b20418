extension PrometheusText {
    package enum Format: Sendable {
        /// Prometheus' own, version 0.0.4.
        case prometheus
        /// OpenMetrics 1.0, which has exemplars.
        case openMetrics
    }
}

extension PrometheusText.Format {
    package var contentType: String {
        switch self {
        case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        }
    }

    /// What a reader likes better, by the media ranges of its `Accept`: OpenMetrics for those alone who name it, in a version that is written here.
    package init(accepting ranges: [Substring]) {
        var (plain, other) = (0.0, 0.0)
        for range in ranges {
            let parts = range.lowercased().filter { !" \t\"".contains($0) }.split(separator: ";")
            guard let type = parts.first else { continue }
            let quality = parts.first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
            let isWritten = parts.allSatisfy { !$0.hasPrefix("version=") || $0 == "version=1.0.0" }
            switch type {
            case "application/openmetrics-text": if isWritten { other = max(other, quality) }
            case "text/plain", "text/*", "*/*": plain = max(plain, quality)
            default: break
            }
        }
        self = other > 0 && other >= plain ? .openMetrics : .prometheus
    }
}
