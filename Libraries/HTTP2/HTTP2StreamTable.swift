/// What belongs to each of the open streams of a connection.
///
/// The numbers of streams ascend in steps of two. Multiplied by the golden ratio's share of 2³² they fall far from each
/// other (Knuth, The Art of Computer Programming, volume 3, section 6.4), so that a stream is found where it belongs and
/// its removal moves nothing.
///
/// It is public because only what is public is compiled for its values in other modules (Swift 6.3).
public struct HTTP2StreamTable<Value> {
    @usableFromInline var keys: [Int32]
    @usableFromInline var values: [Value?]
    @usableFromInline var stored: Int
    /// What is left of 32 bits once the slots have numbers.
    @usableFromInline var shift: UInt32

    /// No stream has this number.
    @inlinable static var free: Int32 { 0 }

    @inlinable
    public init() {
        keys = []
        values = []
        stored = 0
        shift = 31
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

    /// Where the stream belongs.
    @inlinable
    func home(_ stream: Int32) -> Int {
        Int((UInt32(bitPattern: stream >> 1) &* 0x9E37_79B9) >> shift)
    }

    /// The slot that holds the stream, or a negative number.
    @inlinable
    func slot(of stream: Int32) -> Int {
        if keys.isEmpty { return -1 }
        let mask = keys.count - 1
        var slot = home(stream)
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
        var slot = home(stream)
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
            let home = home(keys[next])
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
        let capacity = max(4, keys.count * 2)
        keys = Array(repeating: HTTP2StreamTable.free, count: capacity)
        values = Array(repeating: nil, count: capacity)
        stored = 0
        shift = UInt32(32 - capacity.trailingZeroBitCount)
        for (stream, value) in old { insert(value, stream) }
    }
}
