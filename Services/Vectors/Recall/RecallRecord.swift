internal import Time

/// What became of the searches of one kind that were repeated exactly.
struct RecallRecord: Hashable, Sendable {
    static let maxRecent = 1_000

    private(set) var sampleCount = 0
    private(set) var sampledAt = Instant(microsecondsSinceEpoch: 0)
    /// The newest, the oldest of them written over.
    private var recent: [Float] = []

    var recentCount: Int { recent.count }

    /// The mean of the newest; `nil` without one.
    var recall: Double? {
        recent.isEmpty ? nil : recent.reduce(0) { $0 + Double($1) } / Double(recent.count)
    }

    mutating func add(_ recall: Float, at instant: Instant) {
        if recent.count < Self.maxRecent { recent.append(recall) } else { recent[sampleCount % Self.maxRecent] = recall }
        sampleCount += 1
        sampledAt = instant
    }
}
