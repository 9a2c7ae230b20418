/// What an index keeps of a vector, and what it compares while it walks.
package enum Representation: Sendable, Hashable {
    /// The vector as it is, and nothing else: walks compare it. Right for data that bytes cannot tell apart, such as
    /// clusters that are far smaller than their distance from the origin under the straight-line distance.
    case float32

    /// The vector as it is, and a code of one byte a component. Walks compare codes, and the nearest they find are compared
    /// again by their vectors.
    case int8

    /// As `int8`, with vectors rounded to bfloat16: half the memory, and scores that are off by some 10^-4 of the lengths.
    case int8OverBFloat16
}
