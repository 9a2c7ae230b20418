/// A set of small numbers, one bit for each number that could be in it.
///
/// What a filter's evaluation computes with: a step of it is an operation on words, 64 numbers at a time.
package struct Bitmap: Equatable, Sendable {
    private(set) var words: [UInt64]

    /// An empty set that numbers below `capacity` can enter.
    package init(capacity: Int) {
        words = [UInt64](repeating: 0, count: (capacity + 63) / 64)
    }

    /// How many numbers are in the set.
    package var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    package var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

    package func contains(_ number: Int) -> Bool {
        let word = number >> 6
        return word < words.count && words[word] & Self.bit(number) != 0
    }

    package mutating func insert(_ number: Int) { words[number >> 6] |= Self.bit(number) }

    package mutating func formUnion(_ other: Bitmap) { combine(other.words) { $0 | $1 } }
    package mutating func formIntersection(_ other: Bitmap) { combine(other.words) { $0 & $1 } }
    package mutating func subtract(_ other: Bitmap) { combine(other.words) { $0 & ~$1 } }

    mutating func formUnion(words other: [UInt64]) { combine(other) { $0 | $1 } }

    /// The other's words may be fewer; it has no numbers there.
    private mutating func combine(_ other: [UInt64], _ operation: (UInt64, UInt64) -> UInt64) {
        for place in words.indices { words[place] = operation(words[place], place < other.count ? other[place] : 0) }
    }

    /// Hands over the numbers, the smallest first.
    package func forEach(_ body: (Int) -> Void) {
        for (place, word) in words.enumerated() {
            var rest = word
            while rest != 0 {
                body(place << 6 | rest.trailingZeroBitCount)
                rest &= rest - 1
            }
        }
    }

    static func bit(_ number: Int) -> UInt64 { 1 << UInt64(number & 63) }
}
