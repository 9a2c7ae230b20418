import FoundationEssentials
import Testing
import Time

@Suite struct `An id's text` {
    @Test func `is RFC 9562's in small letters`() throws {
        let id = try #require(UUID(uuidString: "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6"))
        #expect(id.text == "f81d4fae-7dec-11d0-a765-00a0c91e6bf6")
        for id in (0..<1_000).map({ _ in UUID() }) { #expect(id.text == id.uuidString.lowercased()) }
    }
}
