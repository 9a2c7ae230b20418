internal import Cache
internal import Synchronization

/// What documents say, of those that were found of late, so that it need not be read for every search that finds them.
///
/// A text stands beside the version of its row, and is handed out only where the index has the document as that version. So nothing has
/// to be told when a document changes: the new version is another text.
final class DocumentTexts: Sendable {
    private struct Key: Hashable, Sendable {
        let index: Int
        /// Which no other document of the index has had.
        let document: Int
    }

    private struct Text: Sendable {
        let version: RowVersion
        let content: String
    }

    /// What an entry takes besides its text: the tables' words, the head of a string.
    private static let entryBytes = 256

    private let kept: Mutex<SieveTable<Key, Text>>
    private let fromMemory = Atomic<Int>(0)
    private let fromTable = Atomic<Int>(0)

    /// Keeps so many bytes of all collections together; 0: nothing.
    init(bytes: Int) {
        kept = Mutex(SieveTable(capacity: max(1, bytes)))
    }

    /// The documents that an index has found, in their order, if what each says is kept.
    func documents(of hits: [CollectionIndex.Hit], in index: CollectionIndex) -> [KeptDocument]? {
        var documents: [KeptDocument] = []
        documents.reserveCapacity(hits.count)
        kept.withLock { kept in
            for hit in hits {
                let document = hit.document
                guard let text = kept.value(for: Key(index: index.number, document: document.number)), text.version == document.version else {
                    return
                }
                documents.append(
                    KeptDocument(id: document.id, content: text.content, metadata: document.metadata, version: document.version))
            }
        }
        return documents.count == hits.count ? documents : nil
    }

    /// Keeps what was read of the table, as far as the index has found it as that version.
    func keep(_ documents: [DocumentID: KeptDocument], of hits: [CollectionIndex.Hit], in index: CollectionIndex) {
        kept.withLock { kept in
            for hit in hits {
                guard let document = documents[hit.id], document.version == hit.document.version else { continue }
                kept.set(
                    Text(version: document.version, content: document.content),
                    for: Key(index: index.number, document: hit.document.number),
                    weight: document.content.utf8.count + Self.entryBytes)
            }
        }
    }

    // MARK: - What came of it

    func countAnswer(fromMemory isFromMemory: Bool) {
        if isFromMemory { fromMemory.add(1, ordering: .relaxed) } else { fromTable.add(1, ordering: .relaxed) }
    }

    struct Counts: Hashable, Sendable {
        /// Searches whose documents were in memory, and those for which the table was read.
        let fromMemory: Int
        let fromTable: Int
        let bytes: Int
    }

    var counts: Counts {
        Counts(
            fromMemory: fromMemory.load(ordering: .relaxed), fromTable: fromTable.load(ordering: .relaxed),
            bytes: kept.withLock { $0.weight })
    }
}
