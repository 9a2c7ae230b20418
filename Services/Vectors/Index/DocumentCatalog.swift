internal import Filters
internal import TextSearch

/// Which documents an index holds, under which numbers, what is noted about each and which words are in it.
///
/// The graph knows documents by number, because a filter asks for thousands of them and hashing a number costs a tenth
/// of hashing an id. A number is never given twice, so an answer that took long cannot name another document: its low half is the
/// document's slot, which is given again, and its high half counts how often that was.
struct DocumentCatalog: Sendable {
    struct Record: Sendable {
        let id: DocumentID
        let number: Int
        let version: RowVersion
        let metadata: DocumentMetadata
    }

    // Seen by the extension in DocumentCatalog+Snapshot, and by nobody else.
    var slots: [DocumentID: Int] = [:]
    var records: [Record?] = []
    var unusedSlots: [Int] = []
    /// How often each slot was given before.
    var generations: [Int] = []
    var filters = FilterIndex()
    var texts = TextIndex()
    /// Of the documents' rows.
    var digest = ContentsDigest()

    static func slot(of number: Int) -> Int { number & 0xFFFF_FFFF }

    /// Enters a document or what is new about it; returns its number.
    ///
    /// - Parameter terms: What it is found by. `Terms` reads them of a text; that takes longer than entering them.
    mutating func enter(_ id: DocumentID, _ version: RowVersion, _ metadata: DocumentMetadata, terms: [String]) -> Int {
        let slot: Int
        if let known = slots[id], let record = records[known] {
            slot = known
            filters.remove(slot, record.metadata.entries)
            digest.remove(id, record.version)
            records[slot] = Record(id: id, number: record.number, version: version, metadata: metadata)
        } else {
            slot = newSlot()
            slots[id] = slot
            records[slot] = Record(id: id, number: generations[slot] << 32 | slot, version: version, metadata: metadata)
        }
        digest.add(id, version)
        filters.insert(slot, metadata.entries)
        texts.insert(slot, terms: terms)
        return generations[slot] << 32 | slot
    }

    private mutating func newSlot() -> Int {
        if let slot = unusedSlots.popLast() { return slot }
        records.append(nil)
        generations.append(0)
        return records.count - 1
    }

    mutating func remove(_ id: DocumentID) {
        guard let slot = slots.removeValue(forKey: id), let record = records[slot] else { return }
        digest.remove(id, record.version)
        filters.remove(slot, record.metadata.entries)
        texts.remove(slot)
        records[slot] = nil
        generations[slot] += 1
        unusedSlots.append(slot)
    }

    func number(of id: DocumentID) -> Int? { slots[id].flatMap { records[$0]?.number } }

    func record(numbered number: Int) -> Record? {
        guard let record = records[Self.slot(of: number)], record.number == number else { return nil }
        return record
    }

    /// As which writing of its row a document was entered.
    func version(of id: DocumentID) -> RowVersion? { slots[id].flatMap { records[$0]?.version } }

    /// The documents whose rows stand behind a position.
    func ids(behind position: Int64) -> [DocumentID] {
        records.compactMap { record in
            guard let record, record.version.position > position else { return nil }
            return record.id
        }
    }

    var ids: [DocumentID] { Array(slots.keys) }
    var count: Int { slots.count }
    /// The numbers of all documents.
    var numbers: some Sequence<Int> { records.lazy.compactMap { $0?.number } }

    /// The slots of the documents that pass, as they are now.
    func slots(passing filter: Filter) -> Bitmap { filters.documents(passing: filter) }

    /// The numbers of the documents in these slots.
    func numbers(in slots: Bitmap) -> [Int] {
        var numbers: [Int] = []
        numbers.reserveCapacity(slots.count)
        slots.forEach { slot in
            if let record = records[slot] { numbers.append(record.number) }
        }
        return numbers
    }

    /// Whether a document is there and passes, as it is now.
    func has(_ id: DocumentID, passing filter: Filter) -> Bool {
        guard let slot = slots[id], let record = records[slot] else { return false }
        return filter.passes(record.metadata.entries)
    }

    /// The ids of the documents that pass.
    func ids(passing filter: Filter) -> [DocumentID] {
        var ids: [DocumentID] = []
        slots(passing: filter).forEach { slot in
            if let record = records[slot] { ids.append(record.id) }
        }
        return ids
    }

    /// The documents that the terms are most about, best first, each with its BM25.
    ///
    /// - Parameter passing: The slots that may be in the answer; `nil` if all may.
    /// - Returns: `nil` if it was stopped.
    func search(
        terms: [String], limit: Int, among passing: Bitmap?, shouldStop: () -> Bool
    ) -> [(record: Record, score: Float)]? {
        let filter = passing.map { passing in { passing.contains($0) } }
        return texts.search(terms, limit: limit, where: filter, shouldStop: shouldStop)?.compactMap { match in
            records[match.document].map { ($0, match.score) }
        }
    }
}
