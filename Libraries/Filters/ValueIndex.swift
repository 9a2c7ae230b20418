/// Which documents have which value of one key, in the order of the values.
///
/// The values stand in sorted blocks of some hundreds, so that entering one moves a block's part and not half of all.
struct ValueIndex: Sendable {
    private struct Entry: Sendable {
        let value: MetadataValue
        var documents: NumberSet
    }

    static let maxBlock = 512

    private var blocks: [[Entry]] = []
    /// All documents with the key.
    private(set) var documents = NumberSet()

    var isEmpty: Bool { documents.isEmpty }

    mutating func insert(_ number: Int, for value: MetadataValue) {
        documents.insert(number)
        let (block, place) = place { $0 < value }
        guard block < blocks.count else {
            appendLast(Entry(value: value, documents: NumberSet(number)))
            return
        }
        if blocks[block][place].value == value {
            blocks[block][place].documents.insert(number)
        } else {
            blocks[block].insert(Entry(value: value, documents: NumberSet(number)), at: place)
            if blocks[block].count > Self.maxBlock { split(block) }
        }
    }

    mutating func remove(_ number: Int, for value: MetadataValue) {
        let (block, place) = place { $0 < value }
        guard block < blocks.count, blocks[block][place].value == value else { return }
        documents.remove(number)
        blocks[block][place].documents.remove(number)
        guard blocks[block][place].documents.isEmpty else { return }
        blocks[block].remove(at: place)
        if blocks[block].isEmpty { blocks.remove(at: block) }
    }

    /// Adds the documents that have the value.
    func formUnion(_ value: MetadataValue, into bitmap: inout Bitmap) {
        let (block, place) = place { $0 < value }
        guard block < blocks.count, blocks[block][place].value == value else { return }
        blocks[block][place].documents.formUnion(into: &bitmap)
    }

    /// Adds the documents that have a value in the range; costs what is in it.
    func formUnion(_ range: ValueRange, into bitmap: inout Bitmap) {
        let first = place(range.isBelow)
        let end = place { !range.isAbove($0) }
        for block in blocks[first.block...].indices where block <= end.block {
            let entries = blocks[block]
            let start = block == first.block ? first.place : 0
            let stop = block == end.block ? end.place : entries.count
            // Bounds may cross: then the range's end comes before its beginning.
            for place in start..<max(start, stop) { entries[place].documents.formUnion(into: &bitmap) }
        }
    }

    /// The place of the first value that is not before; behind the last block if there is none.
    private func place(_ isBefore: (MetadataValue) -> Bool) -> (block: Int, place: Int) {
        // A block is never empty; the one whose last value is not before has the place.
        let block = blocks.partitionPoint { isBefore($0[$0.count - 1].value) }
        guard block < blocks.count else { return (block, 0) }
        return (block, blocks[block].partitionPoint { isBefore($0.value) })
    }

    private mutating func appendLast(_ entry: Entry) {
        if blocks.isEmpty || blocks[blocks.count - 1].count == Self.maxBlock {
            blocks.append([entry])
        } else {
            blocks[blocks.count - 1].append(entry)
        }
    }

    private mutating func split(_ block: Int) {
        let half = blocks[block].count / 2
        blocks.insert(Array(blocks[block][half...]), at: block + 1)
        blocks[block].removeSubrange(half...)
    }
}

extension NumberSet {
    fileprivate init(_ number: Int) {
        self.init()
        insert(number)
    }
}
