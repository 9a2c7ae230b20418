internal import Cache
internal import FoundationEssentials
internal import Synchronization

/// What documents say, of those that were found of late, so that it need not be read for every search that finds them.
///
/// A text stands beside the version of its row, and is handed out only where the index has the document as that version. So nothing has
/// to be told when a document changes: the new version is another text.
final class DocumentTexts: Sendable {
    private struct Key: Hashable, Sendable {
        let collection: UUID
        let id: DocumentID
    }

    private struct Text: Sendable {
        let version: RowVersion
        let content: String
    }

    /// What an entry takes besides its id, which is there twice, and its text: the tables' words, the heads of strings.
    private static let entryBytes = 256

    private let kept: Mutex<SieveTable<Key, Text>>
    private let fromMemory = Atomic<Int>(0)
    private let fromTable = Atomic<Int>(0)

    /// Keeps so many bytes of all collections together; 0: nothing.
    init(bytes: Int) {
        kept = Mutex(SieveTable(capacity: max(1, bytes)))
    }

    /// These documents, in their order, if what each says is kept.
    func documents(_ records: [DocumentCatalog.Record], in collection: Collection) -> [KeptDocument]? {
        var documents: [KeptDocument] = []
        documents.reserveCapacity(records.count)
        kept.withLock { kept in
            for record in records {
                guard let text = kept.value(for: Key(collection: collection.id, id: record.id)), text.version == record.version else { return }
                documents.append(
                    KeptDocument(id: record.id, content: text.content, metadata: record.metadata, version: record.version))
            }
        }
        return documents.count == records.count ? documents : nil
    }

    /// Keeps what was read of the table.
    func keep(_ documents: [KeptDocument], in collection: Collection) {
        kept.withLock { kept in
            for document in documents {
                kept.set(
                    Text(version: document.version, content: document.content),
                    for: Key(collection: collection.id, id: document.id),
                    weight: document.content.utf8.count + 2 * document.id.text.utf8.count + Self.entryBytes)
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
