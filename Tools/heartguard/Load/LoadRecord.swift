/// loaded.json: what an earlier run loaded and how long it took, so that the next one need not ask again.
struct LoadRecord: Codable, Equatable, Sendable {
    struct Part: Codable, Equatable, Sendable {
        var count: Int
        var seconds: Double

        /// For example "34,890 glucose readings in 2.10 s (16,614 a second)".
        func sentence(_ what: String) -> String {
            "\(count.shown) \(what) in \(Duration.seconds(seconds).shown) (\(Int(Double(count) / max(seconds, 0.001)).shown) a second)"
        }
    }

    var people: Part
    var readings: Part
    var signalSamples: Part
    var documents: Part
    /// Tells whether the sample files are still those that were loaded.
    var source: String
}
