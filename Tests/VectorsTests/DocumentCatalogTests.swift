internal import Filters
internal import Testing
internal import Time

@testable internal import Vectors

@Suite struct `The catalogue` {
    @Test func `names a document by the number that it was entered under`() {
        var catalog = DocumentCatalog()

        let number = catalog.enter("a", [:])

        #expect(catalog.record(numbered: number)?.id == "a")
        #expect(catalog.number(of: "a") == number)
    }

    @Test func `keeps a document's number when its metadata changes, and never gives a number twice`() {
        var catalog = DocumentCatalog()
        let first = catalog.enter("a", ["source": .text("chebi")])

        let again = catalog.enter("a", ["source": .text("go")])
        catalog.remove("a")
        let anew = catalog.enter("a", [:])

        #expect(again == first)
        #expect(anew != first)
        #expect(catalog.record(numbered: first)?.id == nil)
        #expect(catalog.record(numbered: anew)?.id == "a")
    }

    @Test func `gives the slots of documents that are gone again`() {
        var catalog = DocumentCatalog()
        for round in 0..<1_000 {
            _ = catalog.enter(DocumentID(kept: "\(round)"), [:])
            if round >= 10 { catalog.remove(DocumentID(kept: "\(round - 10)")) }
        }

        #expect(catalog.ids.count == 10)
        let slots = catalog.ids.compactMap { catalog.number(of: $0) }.map(DocumentCatalog.slot(of:))
        #expect((slots.max() ?? .max) < 12)
    }

    @Test func `knows which documents pass a filter, as they are now`() {
        var catalog = DocumentCatalog()
        _ = catalog.enter("one", ["source": .text("go"), "year": .number(2_025)])
        _ = catalog.enter("two", ["source": .text("go"), "year": .number(2_026)])
        _ = catalog.enter("three", ["source": .text("chebi"), "year": .number(2_026)])
        let go = Filter.equals("source", .text("go"))

        #expect(Set(catalog.ids(passing: go)) == ["one", "two"])
        #expect(catalog.ids(passing: .allOf([go, .equals("year", .number(2_026))])) == ["two"])

        _ = catalog.enter("two", ["source": .text("chebi")])
        catalog.remove("one")

        #expect(catalog.ids(passing: go) == [])
    }

    @Test func `finds documents by words, among those that pass`() {
        var catalog = DocumentCatalog()
        _ = catalog.enter("one", [:], terms: ["heart"])
        _ = catalog.enter("two", ["source": .text("go")], terms: ["heart", "failure"])

        #expect(catalog.found("heart") == ["one", "two"])
        #expect(catalog.found("heart", among: catalog.slots(passing: .exists("source"))) == ["two"])

        _ = catalog.enter("one", [:], terms: ["kidney"])
        catalog.remove("two")

        #expect(catalog.found("heart") == [])
        #expect(catalog.found("kidney") == ["one"])
    }

    @Test func `holds two documents under ids that are equal to Swift and not to the table`() {
        // "ṩ", once of one code point and once of three.
        let (one, other) = (DocumentID(kept: "\u{1E69}"), DocumentID(kept: "s\u{323}\u{307}"))
        var catalog = DocumentCatalog()

        let first = catalog.enter(one, [:])
        let second = catalog.enter(other, [:])
        catalog.remove(one)

        #expect(first != second)
        #expect(catalog.record(numbered: first)?.id == nil)
        #expect(catalog.record(numbered: second)?.id == other)
        #expect(catalog.count == 1)
    }

    @Test func `has one digest for the same writings of the same documents, in whichever order they came`() {
        var straight = DocumentCatalog()
        for (position, id) in ["a", "b", "c"].enumerated() { straight.write(DocumentID(kept: id), at: Int64(position + 2)) }
        var detour = DocumentCatalog()
        for (id, position) in [("c", 4), ("gone", 1), ("b", 1), ("a", 2), ("b", 3), ("b", 3)] as [(DocumentID, Int64)] {
            detour.write(id, at: position)
        }
        detour.remove("gone")
        detour.remove("never there")

        #expect(straight.digest == detour.digest)
        #expect(straight.digest.value != 0)

        var lacking = straight
        lacking.remove("b")
        var otherwise = straight
        otherwise.write("b", at: 3, changedAt: 2)
        var exchanged = straight
        exchanged.write("b", at: 4)
        exchanged.write("c", at: 3)
        #expect(Set([straight, lacking, otherwise, exchanged].map(\.digest)).count == 4)
        for id in ["a", "b", "c"] as [DocumentID] { straight.remove(id) }
        #expect(straight.digest == DocumentCatalog().digest)
    }
}

extension DocumentCatalog {
    fileprivate mutating func write(_ id: DocumentID, at position: Int64, changedAt: Int64 = 1) {
        let version = RowVersion(position: position, changedAt: Instant(microsecondsSinceEpoch: changedAt))
        _ = enter(id, version, DocumentMetadata(kept: [:]), terms: [])
    }

    fileprivate mutating func enter(_ id: DocumentID, _ entries: [String: MetadataValue], terms: [String] = []) -> Int {
        let version = RowVersion(position: 1, changedAt: Instant(microsecondsSinceEpoch: 1))
        return enter(id, version, DocumentMetadata(kept: entries), terms: terms)
    }

    fileprivate func found(_ term: String, among passing: Bitmap? = nil) -> [DocumentID] {
        (search(terms: [term], limit: 10, among: passing, shouldStop: { false }) ?? []).map(\.record.id)
    }
}

extension DocumentID: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self.init(kept: value) }
}
