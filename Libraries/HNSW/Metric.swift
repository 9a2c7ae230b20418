/// How near two vectors are.
///
/// A smaller distance and a larger score both mean nearer, for every metric.
package enum Metric: String, Sendable, Hashable, CaseIterable {
    /// The cosine of the angle between the vectors is the score, in -1...1; the distance is one minus it. Vectors are
    /// normalised when they enter, so their length plays no part, and one of length zero is refused.
    case cosine

    /// The inner product is the score; the distance is its negative. The product of long vectors wins over that of
    /// parallel ones, so a vector is not always its own nearest neighbour.
    case innerProduct

    /// The straight-line distance; the score is `1 / (1 + distance)`.
    case euclidean

    // Zero is added or subtracted from so that no caller reads a negative zero.

    /// What the graph compares, `-product` or the squared distance, as the distance that a caller is told.
    func distance(comparing compared: Float) -> Float {
        switch self {
        case .cosine: 1 - score(comparing: compared)
        case .innerProduct: compared + 0
        case .euclidean: compared.squareRoot()
        }
    }

    /// What the graph compares as the score that a caller is told.
    func score(comparing compared: Float) -> Float {
        switch self {
        // The product of two vectors of length one leaves -1...1 by a rounding error; the promise does not.
        case .cosine: min(1, max(-1, 0 - compared))
        case .innerProduct: 0 - compared
        case .euclidean: 1 / (1 + compared.squareRoot())
        }
    }
}
