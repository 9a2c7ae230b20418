/// Puts one reply together from what the reader finds, in the order in which it stands on the wire: a value, or the
/// head of an array whose elements follow.
final class RESPAssembler {
    enum Event {
        case value(RESPValue)
        case array(count: Int)
    }

    private struct OpenArray {
        var elements: [RESPValue]
        var missing: Int
    }

    private var open: [OpenArray] = []
    private var finished: RESPValue?

    func append(_ event: Event) {
        switch event {
        case .value(let value):
            close(with: value)
        case .array(let count) where count <= 0:
            close(with: .array([]))
        case .array(let count):
            // The announced length is the sender's word. The array grows with the elements that come.
            open.append(OpenArray(elements: [], missing: count))
        }
    }

    /// The finished reply; nil if there is none.
    func take() -> RESPValue? {
        defer { finished = nil }
        return finished
    }

    /// Adds a finished value to the array that is open, and finishes every array that this completes.
    private func close(with value: RESPValue) {
        var value = value
        while var array = open.popLast() {
            array.elements.append(value)
            array.missing -= 1
            guard array.missing == 0 else {
                open.append(array)
                return
            }
            value = .array(array.elements)
        }
        finished = value
    }
}
