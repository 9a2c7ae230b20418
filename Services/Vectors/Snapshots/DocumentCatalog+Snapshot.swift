internal import Filters
internal import Snapshots
internal import TextSearch
internal import Time

/// The sections of a snapshot that hold what an index knows of its documents. Those of the graph have the numbers of `IndexPart`,
/// which are below.
enum CatalogSection: UInt32, CaseIterable {
    /// By slot: id, row and metadata.
    case documents = 33
    /// By number, the terms of all texts.
    case terms = 34
    /// Which documents have each of them.
    case postings = 35
    case unreadable = 36
}

/// What a filter looks for is entered again when a snapshot is read, which takes a microsecond an entry; what words look for is
/// not, since the texts are not in memory.
extension DocumentCatalog {
    func write(to writer: SnapshotWriter) throws(SnapshotError) {
        var bytes = ByteWriter()
        func hand(_ section: CatalogSection, atLeast count: Int = 0) throws(SnapshotError) {
            if bytes.bytes.count > count {
                try bytes.take { bytes throws(SnapshotError) in try writer.append(bytes, to: section.rawValue) }
            }
        }
        bytes.append(UInt64(records.count))
        for (slot, record) in records.enumerated() {
            bytes.appendShort(generations[slot])
            bytes.append(record == nil ? UInt8(0) : 1)
            if let record {
                bytes.append(record.id.text)
                bytes.append(record.version)
                bytes.append(record.metadata)
            }
            try hand(.documents, atLeast: 1 << 20)
        }
        bytes.append(unusedSlots.map { UInt32($0) })
        try hand(.documents)

        let texts = texts.contents
        bytes.append(UInt64(texts.terms.count))
        for term in texts.terms { bytes.append(term) }
        bytes.append(texts.unusedTerms)
        try hand(.terms)
        bytes.append(texts.postingCounts)
        bytes.append(texts.postings)
        bytes.append(texts.lengths)
        try hand(.postings)
    }

    /// Whatever the numbers in the sections say, memory is taken for what is there, and what comes of it can be searched and changed as any other
    /// catalogue.
    init(from reader: SnapshotReader) throws(SnapshotError) {
        var bytes = ByteReader(try reader.read(CatalogSection.documents.rawValue))
        let count = try bytes.number(UInt64.self)
        // Each slot takes two bytes at least, and its number half of a document's.
        guard count <= UInt64(reader.byteCount(of: CatalogSection.documents.rawValue) / 2), count <= UInt64(Self.mostSlots) else {
            throw Self.mismatch
        }
        records.reserveCapacity(Int(count))
        for slot in 0..<Int(count) {
            let generation = try bytes.shortNumber()
            guard generation < Self.mostGenerations else { throw Self.mismatch }
            generations.append(generation)
            guard try bytes.number(UInt8.self) == 1 else {
                records.append(nil)
                continue
            }
            let record = Record(
                id: DocumentID(kept: try bytes.text()), number: generation << 32 | slot, version: try bytes.rowVersion(),
                metadata: try bytes.metadata())
            records.append(record)
            guard slots.updateValue(slot, forKey: record.id) == nil else { throw Self.mismatch }
            digest.add(record.id, record.version)
            filters.insert(slot, record.metadata.entries)
        }
        unusedSlots = try bytes.numbers().map { Int($0) }
        guard bytes.isAtEnd, hasUnusedSlots else { throw Self.mismatch }

        var contents = TextIndex.Contents()
        bytes = ByteReader(try reader.read(CatalogSection.terms.rawValue))
        for _ in 0..<(try bytes.number(UInt64.self)) { contents.terms.append(try bytes.text()) }
        contents.unusedTerms = try bytes.numbers()
        guard bytes.isAtEnd else { throw Self.mismatch }
        bytes = ByteReader(try reader.read(CatalogSection.postings.rawValue))
        contents.postingCounts = try bytes.numbers()
        contents.postings = try bytes.numbers()
        contents.lengths = try bytes.numbers()
        guard bytes.isAtEnd, contents.lengths.count <= records.count,
            contents.lengths.indices.allSatisfy({ contents.lengths[$0] == 0 || records[$0] != nil }), let texts = TextIndex(contents)
        else { throw Self.mismatch }
        self.texts = texts
    }

    private static let mostSlots = Int(Int32.max)
    /// A slot is not given so often in the life of a collection, and a document's number stays above 0.
    private static let mostGenerations = Int(Int32.max)

    /// Whether the slots without a document are those that are given next, each once.
    private var hasUnusedSlots: Bool {
        var isUnused = records.map { $0 == nil }
        guard unusedSlots.count == isUnused.count(where: { $0 }) else { return false }
        for slot in unusedSlots {
            guard slot < isUnused.count, isUnused[slot] else { return false }
            isUnused[slot] = false
        }
        return true
    }

    private static var mismatch: SnapshotError { SnapshotError(.damaged, "The snapshot's documents do not go together.") }
}

extension ByteWriter {
    mutating func append(_ version: RowVersion) {
        append(version.position)
        append(version.changedAt.microsecondsSinceEpoch)
    }

    fileprivate mutating func append(_ metadata: DocumentMetadata) {
        appendShort(metadata.entries.count)
        for (key, value) in metadata.entries {
            append(key)
            append(UInt8(value.kind.rawValue))
            switch value {
            case .boolean(let boolean): append(boolean ? UInt8(1) : 0)
            case .number(let number): append(number.bitPattern)
            case .time(let microseconds): append(microseconds)
            case .text(let text): append(text)
            }
        }
    }
}

extension ByteReader {
    mutating func rowVersion() throws(SnapshotError) -> RowVersion {
        RowVersion(
            position: try number(Int64.self), changedAt: Instant(microsecondsSinceEpoch: try number(Int64.self)))
    }

    fileprivate mutating func metadata() throws(SnapshotError) -> DocumentMetadata {
        let count = try count()
        var entries: [String: MetadataValue] = [:]
        // As many as a document may have: more come only from a table that others wrote to.
        entries.reserveCapacity(min(count, DocumentMetadata.maxEntries))
        for _ in 0..<count {
            let key = try text()
            guard entries.updateValue(try metadataValue(), forKey: key) == nil else {
                throw SnapshotError(.damaged, "The snapshot holds metadata with a key twice.")
            }
        }
        return DocumentMetadata(kept: entries)
    }

    private mutating func metadataValue() throws(SnapshotError) -> MetadataValue {
        switch MetadataValue.Kind(rawValue: Int(try number(UInt8.self))) {
        case .boolean: return .boolean(try number(UInt8.self) != 0)
        case .number:
            let value = Double(bitPattern: try number(UInt64.self))
            // What is no number equals nothing, so it would never be taken out of what filters look in.
            guard value.isFinite else { throw SnapshotError(.damaged, "The snapshot holds metadata that are no number.") }
            return .number(value)
        case .time: return .time(try number(Int64.self))
        case .text: return .text(try text())
        case nil: throw SnapshotError(.damaged, "The snapshot holds metadata of an unknown kind.")
        }
    }
}
