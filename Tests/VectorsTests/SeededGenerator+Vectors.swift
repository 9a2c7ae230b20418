internal import TestSupport

extension SeededGenerator {
    mutating func next32() -> UInt32 { UInt32(truncatingIfNeeded: next()) }

    /// A vector of components between -1 and 1.
    mutating func vector(_ dimension: Int) -> [Float] {
        (0..<dimension).map { _ in .random(in: -1...1, using: &self) }
    }
}
