import Testing
@testable import Postgres

@Suite struct `A statement cache` {
    private func key(_ number: Int) -> StatementCache.Key { .init(sql: "SELECT \(number)", types: []) }

    @Test func `tells apart texts that agree in the bytes that are hashed`() {
        var cache = StatementCache(capacity: 4)
        let one = StatementCache.Key(sql: "SELECT a" + String(repeating: " ", count: 100), types: [23])
        let other = StatementCache.Key(sql: "SELECT b" + String(repeating: " ", count: 100), types: [23])
        let typed = StatementCache.Key(sql: one.sql, types: [25])

        let names = [one, other, typed].map { cache.lookUp($0) }

        #expect(one.hashValue == typed.hashValue && one.hashValue == other.hashValue)
        #expect(names == [.missing(name: "s1"), .missing(name: "s2"), .missing(name: "s3")])
        #expect([one, other, typed].map { cache.lookUp($0) } == [.prepared(name: "s1"), .prepared(name: "s2"), .prepared(name: "s3")])
    }

    @Test func `gives a statement one name for as long as it is kept`() {
        var cache = StatementCache(capacity: 2)

        #expect(cache.lookUp(key(1)) == .missing(name: "s1"))
        #expect(cache.lookUp(key(1)) == .prepared(name: "s1"))
        #expect(cache.lookUp(.init(sql: "SELECT 1", types: [20])) == .missing(name: "s2"))
    }

    @Test func `gives up what was used longest ago and never uses a name twice`() {
        var cache = StatementCache(capacity: 2)
        _ = cache.lookUp(key(1))
        _ = cache.lookUp(key(2))
        _ = cache.lookUp(key(1))

        #expect(cache.lookUp(key(3)) == .missing(name: "s3"))

        #expect(cache.discarded == ["s2"])
        #expect(cache.lookUp(key(1)) == .prepared(name: "s1"))
        #expect(cache.lookUp(key(2)) == .missing(name: "s4"))
    }

    @Test func `forgets what could not be prepared without asking the server to`() {
        var cache = StatementCache(capacity: 2)
        _ = cache.lookUp(key(1))

        cache.remove(key(1))

        #expect(cache.discarded.isEmpty && cache.count == 0)
    }

    @Test func `has what is out of date deallocated`() {
        var cache = StatementCache(capacity: 2)
        _ = cache.lookUp(key(1))

        cache.discard(key(1))
        #expect(cache.discarded == ["s1"])

        cache.deallocated("s1")
        #expect(cache.discarded.isEmpty)
    }
}

@Suite struct `A pipeline's reader` {
    private func actions(_ count: Int, _ events: [PipelineReader.Event]) -> [PipelineReader.Action] {
        var reader = PipelineReader(commandCount: count)
        return events.map { reader.received($0) }
    }

    @Test func `attributes each result to its command and ends at the second NULL`() {
        #expect(actions(2, [.success, .null, .success, .null, .synchronisation, .null])
            == [.succeeded(0), .none, .succeeded(1), .none, .none, .finished])
    }

    @Test func `takes the first error and passes over what was aborted`() {
        #expect(actions(3, [.success, .null, .error, .null, .aborted, .null, .synchronisation, .null])
            == [.succeeded(0), .none, .failed(1), .none, .none, .none, .none, .finished])
    }

    @Test func `trusts nothing that libpq does not promise`() {
        #expect(actions(1, [.aborted]) == [.violated])
        #expect(actions(1, [.synchronisation]) == [.violated])
        #expect(actions(1, [.success, .null, .null]) == [.succeeded(0), .none, .violated])
        #expect(actions(1, [.success, .null, .success]) == [.succeeded(0), .none, .violated])
        #expect(actions(1, [.error, .null, .synchronisation, .success]) == [.failed(0), .none, .none, .violated])
    }
}
