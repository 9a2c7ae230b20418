/// How the readings of several sources become those of one: of each segment of time the readings of one source count, of those that have any
/// in it the one that is ranked first. What is recorded stays as it is.
struct SourceMerge: Hashable, Sendable {
    /// Segments begin at multiples of their length since 1970 by UTC, and anew with each day.
    let segmentMinutes: Int32
    /// Ids of devices in lower case, and sources; the best first. Those that are not named come behind, by their names.
    let ranking: [String]

    static let longestMinutes: Int32 = 1_440
    static let mostRanked = 20
}
