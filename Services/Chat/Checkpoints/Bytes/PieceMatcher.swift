internal import Glibc

/// Finds what a value has in common with another one, such as its channel's value before.
///
/// As LZ77 does, with the other value as its window: places of the base are looked up by the eight bytes that stand there, and a hit is
/// widened in both directions. An appended list, whose head tells its length, comes out as its head, a copy of nearly all, and the tail.
struct PieceMatcher {
    enum Part: Hashable {
        /// Of the value.
        case literal(Range<Int>)
        /// Of the base.
        case copy(Range<Int>)
    }

    /// Shorter copies are not worth telling.
    let least: Int
    /// Every so many bytes of the base are looked up. A stretch in common of at least `least` bytes has several such places.
    let step: Int

    /// For one large value after another.
    static let versions = PieceMatcher(least: 512, step: 64)
    /// For what a task wrote, whose larger part is in the value that came of it.
    static let writes = PieceMatcher(least: 32, step: 8)

    /// The parts whose bytes one after another are the value.
    func parts(of value: [UInt8], base: [UInt8]) -> [Part] {
        unsafe value.withUnsafeBytes { value in
            unsafe base.withUnsafeBytes { base in unsafe parts(value, base) }
        }
    }

    private func parts(_ value: UnsafeRawBufferPointer, _ base: UnsafeRawBufferPointer) -> [Part] {
        var parts: [Part] = []
        var literalStart = 0
        var place = 0
        let table = unsafe Table(base, step: step)
        while place + 8 <= value.count, !table.isEmpty {
            let candidate = unsafe table.candidate(for: value.loadUnaligned(fromByteOffset: place, as: UInt64.self))
            guard let candidate else { place += 1; continue }
            let ahead = unsafe Self.commonCount(value, from: place, base, from: candidate)
            guard ahead >= 8 else { place += 1; continue }
            var behind = 0
            while behind < min(place - literalStart, candidate),
                unsafe value[place - behind - 1] == base[candidate - behind - 1] { behind += 1 }
            guard ahead + behind >= least else { place += 1; continue }
            if place - behind > literalStart { parts.append(.literal(literalStart..<place - behind)) }
            parts.append(.copy(candidate - behind..<candidate + ahead))
            place += ahead
            literalStart = place
        }
        if literalStart < value.count { parts.append(.literal(literalStart..<value.count)) }
        return parts
    }

    /// How many bytes are the same from these two places on.
    private static func commonCount(
        _ value: UnsafeRawBufferPointer, from start: Int, _ base: UnsafeRawBufferPointer, from other: Int
    ) -> Int {
        let most = min(value.count - start, base.count - other)
        guard most > 0, let left = value.baseAddress, let right = base.baseAddress else { return 0 }
        var count = 0
        // Halved where they differ, so that the loop over single bytes is short.
        var stride = 1 << 14
        while stride >= 16 {
            while count + stride <= most, unsafe memcmp(left + start + count, right + other + count, stride) == 0 { count += stride }
            stride >>= 2
        }
        while count < most, unsafe value[start + count] == base[other + count] { count += 1 }
        return count
    }

    /// Places of the base by what stands there; of several with the same bytes the first.
    private struct Table {
        private var places: [Int32]
        private let shift: UInt64

        init(_ base: UnsafeRawBufferPointer, step: Int) {
            guard base.count >= 8 else { (places, shift) = ([], 0); return }
            let entries = base.count / step + 1
            let bits = UInt64(max(4, Int.bitWidth - (entries * 2).leadingZeroBitCount))
            shift = 64 - bits
            places = [Int32](repeating: -1, count: 1 << bits)
            for place in stride(from: 0, through: base.count - 8, by: step) {
                let slot = Self.slot(unsafe base.loadUnaligned(fromByteOffset: place, as: UInt64.self), shift)
                if places[slot] < 0 { places[slot] = Int32(place) }
            }
        }

        var isEmpty: Bool { places.isEmpty }

        func candidate(for word: UInt64) -> Int? {
            let place = places[Self.slot(word, shift)]
            return place < 0 ? nil : Int(place)
        }

        /// Multiplied by 2^64 over the golden ratio, whose upper bits depend on all of the word's.
        private static func slot(_ word: UInt64, _ shift: UInt64) -> Int { Int((word &* 0x9E37_79B9_7F4A_7C15) >> shift) }
    }
}
