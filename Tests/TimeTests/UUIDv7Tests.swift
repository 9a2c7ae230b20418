import FoundationEssentials
import Testing
@testable import Time

@Suite struct `A version 7 UUID` {
    @Test func `has its version, its variant and its time where RFC 9562 puts them`() throws {
        let far = Instant(microsecondsSinceEpoch: 4_102_444_800_000_000)

        let id = UUIDv7.make(at: far)

        #expect(id.uuid.6 >> 4 == 7)
        #expect(id.uuid.8 >> 6 == 0b10)
        #expect(try #require(UUIDv7.instant(of: id)) >= far)
        #expect(UUIDv7.instant(of: UUID()) == nil)
    }

    @Test func `sorts after every earlier one, even when the clock steps back`() {
        let ids = (0..<10_000).map { UUIDv7.make(at: .now() - .seconds($0 % 7)).uuidString }

        #expect(ids == ids.sorted() && Set(ids).count == ids.count)
    }

    @Test func `is made once only, by however many tasks`() async {
        let ids = await withTaskGroup(of: [UUID].self) { group in
            for _ in 0..<8 { group.addTask { (0..<1_000).map { _ in UUIDv7.make() } } }
            return await group.reduce(into: Set<UUID>()) { $0.formUnion($1) }
        }

        #expect(ids.count == 8_000)
    }
}
