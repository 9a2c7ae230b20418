/// A node and what comparing it with the query gave.
struct Candidate: BitwiseCopyable {
    var compared: Float
    var slot: Int32

    /// Nearer first; equally near nodes stand in the order of their slots, so that a search has one answer.
    @inline(__always)
    func precedes(_ other: Candidate) -> Bool {
        compared < other.compared || (compared == other.compared && slot < other.slot)
    }
}
