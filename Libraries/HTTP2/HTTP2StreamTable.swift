/// What belongs to each of the open streams of a connection.
///
/// The numbers of streams ascend, so half a number taken as it is spreads them over the slots without a hash function,
/// and the few streams that outlive many others are found by looking further along.
///
/// It is public because only what is public is compiled for its values in other modules (Swift 6.3).
public struct HTTP2StreamTable<Value> {
    @usableFromInline var keys: [Int32]
    @usableFromInline var values: [Value?]
    @usableFromInline var stored: Int

    /// No stream has this number.
    @inlinable static var free: Int32 { 0 }

    @inlinable
    public init() {
        keys = []
        values = []
        stored = 0
    }

    /// How many values there are.
    @inlinable public var count: Int { stored }

    @inlinable public var isEmpty: Bool { count == 0 }

    @inlinable
    public subscript(stream: Int32) -> Value? {
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
    func slot(of stream: Int32) -> Int {
        if keys.isEmpty { return -1 }
        let mask = keys.count - 1
        var slot = Int(stream >> 1) & mask
        while keys[slot] != HTTP2StreamTable.free {
            if keys[slot] == stream { return slot }
            slot = (slot + 1) & mask
        }
        return -1
    }

    @inlinable
    mutating func insert(_ value: Value, _ stream: Int32) {
        precondition(stream > 0, "streams have positive numbers")
        if (count + 1) * 2 > keys.count { grow() }
        let mask = keys.count - 1
        var slot = Int(stream >> 1) & mask
        while keys[slot] != HTTP2StreamTable.free, keys[slot] != stream { slot = (slot + 1) & mask }
        if keys[slot] == HTTP2StreamTable.free { stored += 1 }
        keys[slot] = stream
        values[slot] = value
    }

    @inlinable @discardableResult
    public mutating func removeValue(for stream: Int32) -> Value? {
        var hole = slot(of: stream)
        guard hole >= 0 else { return nil }
        let removed = values[hole]
        stored -= 1
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
    @inlinable public var elements: [(stream: Int32, value: Value)] {
        var elements: [(stream: Int32, value: Value)] = []
        elements.reserveCapacity(count)
        for (slot, stream) in keys.enumerated() {
            if let value = values[slot] { elements.append((stream, value)) }
        }
        return elements
    }

    @inlinable
    mutating func grow() {
        let old = elements
        let capacity = max(8, keys.count * 2)
        keys = Array(repeating: HTTP2StreamTable.free, count: capacity)
        values = Array(repeating: nil, count: capacity)
        stored = 0
        for (stream, value) in old { insert(value, stream) }
    }
}
