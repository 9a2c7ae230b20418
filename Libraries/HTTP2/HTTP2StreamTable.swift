/// What belongs to each of the open streams of a connection.
///
/// The numbers of streams ascend, so half a number taken as it is spreads them over the slots without a hash function,
/// and the few streams that outlive many others are found by looking further along.
package struct HTTP2StreamTable<Value> {
    @usableFromInline var keys: [HTTP2StreamID]
    @usableFromInline var values: [Value?]
    /// How many values there are.
    package private(set) var count: Int

    /// No stream has this number.
    @inlinable static var free: HTTP2StreamID { 0 }

    package init() {
        keys = []
        values = []
        count = 0
    }

    package var isEmpty: Bool { count == 0 }

    @inlinable
    package subscript(stream: HTTP2StreamID) -> Value? {
        get {
            let slot = slot(of: stream)
            return slot < 0 ? nil : values[slot]
        }
        set {
            if let newValue { insert(newValue, stream) } else { removeValue(for: stream) }
        }
    }

    /// The slot that holds the stream, or a negative number.
    @inlinable
    func slot(of stream: HTTP2StreamID) -> Int {
        if keys.isEmpty { return -1 }
        let mask = keys.count - 1
        var slot = Int(stream >> 1) & mask
        while keys[slot] != HTTP2StreamTable.free {
            if keys[slot] == stream { return slot }
            slot = (slot + 1) & mask
        }
        return -1
    }

    @usableFromInline
    mutating func insert(_ value: Value, _ stream: HTTP2StreamID) {
        precondition(stream > 0, "streams have positive numbers")
        if (count + 1) * 2 > keys.count { grow() }
        let mask = keys.count - 1
        var slot = Int(stream >> 1) & mask
        while keys[slot] != HTTP2StreamTable.free, keys[slot] != stream { slot = (slot + 1) & mask }
        if keys[slot] == HTTP2StreamTable.free { count += 1 }
        keys[slot] = stream
        values[slot] = value
    }

    @discardableResult
    package mutating func removeValue(for stream: HTTP2StreamID) -> Value? {
        var hole = slot(of: stream)
        guard hole >= 0 else { return nil }
        let removed = values[hole]
        count -= 1
        // Those behind that had to step aside move up, so that a search still ends at the first free slot.
        let mask = keys.count - 1
        var next = (hole + 1) & mask
        while keys[next] != HTTP2StreamTable.free {
            let home = Int(keys[next] >> 1) & mask
            if (next - home) & mask >= (next - hole) & mask {
                keys[hole] = keys[next]
                values[hole] = values[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        keys[hole] = HTTP2StreamTable.free
        values[hole] = nil
        return removed
    }

    /// The streams with their values, in no order.
    package var elements: [(stream: HTTP2StreamID, value: Value)] {
        var elements: [(stream: HTTP2StreamID, value: Value)] = []
        elements.reserveCapacity(count)
        for (slot, stream) in keys.enumerated() {
            if let value = values[slot] { elements.append((stream, value)) }
        }
        return elements
    }

    private mutating func grow() {
        let old = elements
        let capacity = max(8, keys.count * 2)
        keys = Array(repeating: HTTP2StreamTable.free, count: capacity)
        values = Array(repeating: nil, count: capacity)
        count = 0
        for (stream, value) in old { insert(value, stream) }
    }
}
