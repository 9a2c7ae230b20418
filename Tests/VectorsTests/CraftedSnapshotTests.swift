internal import Filters
internal import Foundation
internal import HNSW
internal import Snapshots
internal import Testing
internal import TextSearch
internal import Time

@testable internal import Vectors

/// The checksums of each are right; they tell nothing of what was wrong when they were made.
@Suite struct `A crafted snapshot of an index` {
    @Test func `that says what is so is read`() async throws {
        try await withSnapshotFolder { folder in
            let contents = try CraftedSnapshot().contents(in: folder)

            #expect(contents.graph.count == 2)
            #expect(Set(contents.catalog.ids.map(\.text)) == ["a", "b"])
            #expect(contents.unreadable.count == 1)
        }
    }

    @Test func `is refused when its documents cannot be an index's`() async throws {
        for count in [0, 2, 4, 1 << 40, UInt64.max] { try await expectRefused("\(count) slots") { $0.slotCount = count } }
        for generation in [5, Int(Int32.max), 1 << 40, Int.max] {
            try await expectRefused("generation \(generation)") { $0.generations[0] = generation }
        }
        try await expectRefused("one id twice") { $0.ids = ["a", "a", nil] }
        try await expectRefused("a vector without a document") { crafted in
            crafted.ids = ["a", nil, nil]
            crafted.unusedSlots = [1, 2]
        }
        for slots in [[], [0], [2, 2], [9], [UInt32.max]] as [[UInt32]] {
            try await expectRefused("slots \(slots) to be given next") { $0.unusedSlots = slots }
        }
        for count in [2, 1 << 40, Int.max] { try await expectRefused("\(count) entries") { $0.entryCount = count } }
        for number in [Double.nan, .infinity] { try await expectRefused("the number \(number)") { $0.entries = [("k", number)] } }
        try await expectRefused("a key twice") { $0.entries = [("k", 1), ("k", 2)] }
        try await expectRefused("a document that is unreadable as well") { $0.unreadable = ["a"] }
        try await expectRefused("one that is unreadable twice") { $0.unreadable = ["c", "c"] }
        for count in [0, 2, UInt64.max] { try await expectRefused("\(count) unreadable") { $0.unreadableCount = count } }
    }

    @Test func `is refused when its words cannot be its documents'`() async throws {
        try await expectRefused("words of a document that is not there") { crafted in
            crafted.texts.terms = ["heart"]
            crafted.texts.postingCounts = [1]
            crafted.texts.postings = [2, 1]
            crafted.texts.lengths = [0, 0, 1]
        }
        try await expectRefused("more documents than there are") { $0.texts.lengths = [0, 0, 0, 0] }
        for count in [1, UInt64.max] { try await expectRefused("\(count) terms") { $0.termCount = count } }
    }

    private func expectRefused(_ what: String, _ edit: (inout CraftedSnapshot) -> Void) async throws {
        var crafted = CraftedSnapshot()
        edit(&crafted)
        let edited = crafted
        try await withSnapshotFolder { folder in
            do {
                _ = try edited.contents(in: folder)
                Issue.record("\(what)")
            } catch {
                #expect((error as? SnapshotError)?.code == .damaged, "\(what)")
            }
        }
    }
}

/// A snapshot of two documents and a free slot, as long as nobody changes what it says of itself.
private struct CraftedSnapshot: Sendable {
    var slotCount: UInt64?
    var generations = [0, 0, 0]
    var ids: [String?] = ["a", "b", nil]
    var entryCount: Int?
    var entries: [(key: String, number: Double)] = [("k", 1)]
    var unusedSlots: [UInt32] = [2]
    var texts = TextIndex.Contents()
    var termCount: UInt64?
    var unreadable = ["c"]
    var unreadableCount: UInt64?

    private static let version = RowVersion(position: 1, changedAt: Instant(microsecondsSinceEpoch: 1))

    func contents(in folder: String) throws -> IndexContents {
        let configuration = HNSWConfiguration(dimension: 4, m: 4, efConstruction: 16)
        let graph = try HNSWIndex<Int>(configuration)
        for number in 0..<2 { try graph.insert([1, 0, 0, Float(number)], for: number) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let writer = try SnapshotWriter(SnapshotHeader(subject: "crafted", position: 1, writtenAt: 0), in: folder, as: "a")
        try graph.forEachPart { part, bytes throws(SnapshotError) in try writer.append(bytes, to: part.rawValue) }
        try put(documents, in: .documents, of: writer)
        try put(terms, in: .terms, of: writer)
        try put(postings, in: .postings, of: writer)
        try put(unreadableRows, in: .unreadable, of: writer)
        try writer.close()
        _ = try writer.putInPlace()
        return try IndexContents(from: try #require(try SnapshotReader.open("\(folder)/a")), configuration)
    }

    private func put(_ bytes: [UInt8], in section: CatalogSection, of writer: SnapshotWriter) throws {
        try writer.append(unsafe bytes.span.bytes, to: section.rawValue)
    }

    private var documents: [UInt8] {
        var bytes = ByteWriter()
        bytes.append(slotCount ?? UInt64(ids.count))
        for (slot, id) in ids.enumerated() {
            bytes.appendShort(generations[slot])
            bytes.append(UInt8(id == nil ? 0 : 1))
            guard let id else { continue }
            bytes.append(id)
            bytes.append(Self.version)
            bytes.appendShort(entryCount ?? entries.count)
            for (key, number) in entries {
                bytes.append(key)
                bytes.append(UInt8(MetadataValue.Kind.number.rawValue))
                bytes.append(number.bitPattern)
            }
        }
        bytes.append(unusedSlots)
        return bytes.bytes
    }

    private var terms: [UInt8] {
        var bytes = ByteWriter()
        bytes.append(termCount ?? UInt64(texts.terms.count))
        for term in texts.terms { bytes.append(term) }
        bytes.append(texts.unusedTerms)
        return bytes.bytes
    }

    private var postings: [UInt8] {
        var bytes = ByteWriter()
        bytes.append(texts.postingCounts)
        bytes.append(texts.postings)
        bytes.append(texts.lengths)
        return bytes.bytes
    }

    private var unreadableRows: [UInt8] {
        var bytes = ByteWriter()
        bytes.append(unreadableCount ?? UInt64(unreadable.count))
        for id in unreadable {
            bytes.append(id)
            bytes.append(Self.version)
        }
        return bytes.bytes
    }
}
