internal import Testing

@testable internal import Vectors

@Suite struct `The catalogue` {
    @Test func `names a document by the number that it was entered under`() {
        var catalog = DocumentCatalog()

        let number = catalog.enter("a", [:])

        #expect(catalog.id(of: number) == "a")
        #expect(catalog.number(of: "a") == number)
    }

    @Test func `keeps a document's number when its metadata changes, and never gives a number twice`() {
        var catalog = DocumentCatalog()
        let first = catalog.enter("a", ["source": "chebi"])

        let again = catalog.enter("a", ["source": "go"])
        catalog.remove("a")
        let anew = catalog.enter("a", [:])

        #expect(again == first)
        #expect(anew != first)
        #expect(catalog.id(of: first) == nil)
    }

    @Test func `finds the documents that have every entry of a filter`() {
        var catalog = DocumentCatalog()
        let one = catalog.enter("one", ["source": "go", "year": "2025"])
        let two = catalog.enter("two", ["source": "go", "year": "2026"])
        _ = catalog.enter("three", ["source": "chebi", "year": "2026"])

        #expect(catalog.matching(["source": "go"]) == [one, two])
        #expect(catalog.matching(["source": "go", "year": "2026"]) == [two])
        #expect(catalog.matching(["source": "chebi", "year": "2025"]) == [])
    }

    @Test func `knows at once that nothing has an entry, or a value of it, or has it no longer`() {
        var catalog = DocumentCatalog()
        _ = catalog.enter("one", ["source": "go"])
        _ = catalog.enter("two", ["source": "chebi"])
        _ = catalog.enter("two", [:])

        for filter in [["year": "2026"], ["source": "icd"], ["source": "chebi"]] {
            #expect(catalog.candidates(for: DocumentMetadata(kept: filter)) == nil)
        }
    }
}

extension DocumentCatalog {
    fileprivate mutating func enter(_ id: String, _ entries: [String: String]) -> Int {
        enter(DocumentID(kept: id), DocumentMetadata(kept: entries))
    }

    fileprivate mutating func remove(_ id: String) { remove(DocumentID(kept: id)) }
    fileprivate func number(of id: String) -> Int? { number(of: DocumentID(kept: id)) }

    fileprivate func matching(_ filter: [String: String]) -> Set<Int> {
        guard let sets = candidates(for: DocumentMetadata(kept: filter)), let smallest = sets.first else { return [] }
        return smallest.filter { number in sets.allSatisfy { $0.contains(number) } }
    }
}

extension DocumentID: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self.init(kept: value) }
}
