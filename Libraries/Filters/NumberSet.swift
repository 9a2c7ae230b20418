/// A set of small numbers that is kept for long: a sorted list of them while they are few, a bit for each number from
/// when that is less, at one in 32. So a set takes at most four bytes a number. One alone takes no memory of its own: most
/// values of a key such as a title or a time have one document.
struct NumberSet: Sendable {
    private var list: [UInt32] = []
    private var words: [UInt64] = []
    private var size: UInt32 = 0
    /// The number, where `isLone`.
    private var lone: UInt32 = 0

    private(set) var count: Int {
        get { Int(size) }
        set { size = UInt32(newValue) }
    }

    private var isList: Bool { words.isEmpty }
    private var isLone: Bool { size == 1 && list.isEmpty && words.isEmpty }

    var isEmpty: Bool { count == 0 }

    mutating func insert(_ number: Int) {
        if isEmpty, isList {
            lone = UInt32(number)
            count = 1
            return
        }
        if isLone {
            if lone == UInt32(number) { return }
            list = [lone]
        }
        if isList {
            let place = place(of: number)
            if place < list.count, list[place] == UInt32(number) { return }
            list.insert(UInt32(number), at: place)
            count += 1
            if count > 64, let last = list.last, count * 32 > Int(last) { makeWords() }
        } else {
            if number >> 6 >= words.count {
                words.append(contentsOf: repeatElement(0, count: number >> 6 + 1 - words.count))
            }
            guard words[number >> 6] & Bitmap.bit(number) == 0 else { return }
            words[number >> 6] |= Bitmap.bit(number)
            count += 1
        }
    }

    mutating func remove(_ number: Int) {
        if isLone {
            if lone == UInt32(number) { count = 0 }
        } else if isList {
            let place = place(of: number)
            guard place < list.count, list[place] == UInt32(number) else { return }
            list.remove(at: place)
            count -= 1
        } else {
            guard number >> 6 < words.count, words[number >> 6] & Bitmap.bit(number) != 0 else { return }
            words[number >> 6] &= ~Bitmap.bit(number)
            count -= 1
            // Half of what made it words, so that one number that comes and goes does not turn it over and over.
            if count < words.count { makeList() }
        }
    }

    /// Adds the set to a bitmap that has room for its numbers.
    func formUnion(into bitmap: inout Bitmap) {
        if isLone {
            bitmap.insert(Int(lone))
        } else if isList {
            for number in list { bitmap.insert(Int(number)) }
        } else {
            bitmap.formUnion(words: words)
        }
    }

    private mutating func makeWords() {
        words = [UInt64](repeating: 0, count: Int(list.last ?? 0) >> 6 + 1)
        for number in list { words[Int(number) >> 6] |= Bitmap.bit(Int(number)) }
        list = []
    }

    private mutating func makeList() {
        var bitmap = Bitmap(capacity: words.count * 64)
        bitmap.formUnion(words: words)
        list.reserveCapacity(count)
        bitmap.forEach { list.append(UInt32($0)) }
        words = []
    }

    /// Where the number stands in the list, or would.
    private func place(of number: Int) -> Int {
        // Newcomers mostly have the highest number.
        guard let last = list.last, last >= UInt32(number) else { return list.count }
        return list.partitionPoint { $0 < UInt32(number) }
    }
}

extension Array {
    /// How many of the first elements satisfy a condition that no element behind them does. Logarithmic.
    func partitionPoint(_ isBefore: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if isBefore(self[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
