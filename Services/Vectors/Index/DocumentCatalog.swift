/// Which documents an index holds, under which numbers, and which of them have a given metadata entry.
///
/// The graph knows documents by number, because a filter asks for thousands of them and hashing a number costs a tenth
/// of hashing an id. A number is never given twice, so an answer that took long cannot name another document.
struct DocumentCatalog: Sendable {
    struct Entry: Hashable, Sendable {
        let key: String
        let value: String
    }

    private struct Record: Sendable {
        let id: DocumentID
        let entries: [Entry]
    }

    private var numbers: [DocumentID: Int] = [:]
    private var records: [Int: Record] = [:]
    private var documentsWith: [Entry: Set<Int>] = [:]
    private var nextNumber = 0

    /// Enters a document or what is new about it; returns its number.
    mutating func enter(_ id: DocumentID, _ metadata: DocumentMetadata) -> Int {
        let entries = metadata.entries.map { Entry(key: $0.key, value: $0.value) }
        let number = numbers[id] ?? nextNumber
        if let old = records[number] {
            leave(number, old.entries)
        } else {
            numbers[id] = number
            nextNumber += 1
        }
        records[number] = Record(id: id, entries: entries)
        for entry in entries { documentsWith[entry, default: []].insert(number) }
        return number
    }

    mutating func remove(_ id: DocumentID) {
        guard let number = numbers.removeValue(forKey: id) else { return }
        if let record = records.removeValue(forKey: number) { leave(number, record.entries) }
    }

    private mutating func leave(_ number: Int, _ entries: [Entry]) {
        for entry in entries {
            documentsWith[entry]?.remove(number)
            if documentsWith[entry]?.isEmpty ?? false { documentsWith[entry] = nil }
        }
    }

    func number(of id: DocumentID) -> Int? { numbers[id] }
    func id(of number: Int) -> DocumentID? { records[number]?.id }
    var ids: [DocumentID] { Array(numbers.keys) }

    /// The documents that have every entry of a filter, as sets to be asked one after another, the smallest first;
    /// `nil` if there are none. The sets are as they stand now, whatever is entered afterwards.
    func candidates(for filter: DocumentMetadata) -> [Set<Int>]? {
        var sets: [Set<Int>] = []
        for (key, value) in filter.entries {
            guard let set = documentsWith[Entry(key: key, value: value)] else { return nil }
            sets.append(set)
        }
        return sets.sorted { $0.count < $1.count }
    }
}
