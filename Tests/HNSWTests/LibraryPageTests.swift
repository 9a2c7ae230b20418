import HNSW
import Testing

/// The code of docs/libraries/HNSW.md.
@Suite struct `The library's page` {
    @Test func `shows what compiles and is true`() throws {
        let index = try HNSWIndex<String>(HNSWConfiguration(dimension: 3, metric: .cosine))

        try index.insert([0.9, 0.1, 0.0], for: "I21")
        try index.insert([0.1, 0.9, 0.0], for: "I48")
        try index.insert([0.8, 0.3, 0.1], for: "I20")

        let result = try index.search([1, 0, 0], k: 2)
        #expect(result.map(\.key) == ["I21", "I20"])

        let others = try index.search([1, 0, 0], k: 2, efSearch: 200, where: { $0 != "I21" })
        #expect(others.map(\.key) == ["I20", "I48"])

        let cardiac = KeySelection(["I20", "I48", "I99"])
        let some = try index.search([1, 0, 0], k: 2, among: cardiac)
        #expect(some.map(\.key) == ["I20", "I48"])
        #expect(some.isExact)

        try index.insert([("I60", [0.1, 0.1, 0.9]), ("I61", [0.2, 0.1, 0.9])], threads: 2)

        try index.insert([0.0, 0.0, 1.0], for: "I20")
        index.remove("I48")
        #expect(index.validate().isEmpty)

        let exact = try ExactIndex<String>(dimension: 3, metric: .cosine)
        try exact.insert([0.9, 0.1, 0.0], for: "I21")

        do {
            try index.insert([1, 0], for: "I50")
        } catch {
            #expect(error.code == .wrongDimension)
            #expect(error.message == "The vector has 2 components; this index holds vectors of 3.")
        }
    }
}
