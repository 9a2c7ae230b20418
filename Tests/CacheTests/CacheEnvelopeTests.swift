import FoundationEssentials
import Testing
import Time

@testable import Cache

@Suite struct `A value written down for Redis` {
    private let moment = Instant(microsecondsSinceEpoch: 1_790_000_000_123_456)

    @Test(arguments: [0, 1, 100, 1_023, 1_024, 100_000])
    func `comes back as it was`(count: Int) throws {
        let envelope = CacheEnvelope(value: (0..<count).map { UInt8(truncatingIfNeeded: $0 / 50) }, freshUntil: moment)

        let bytes = envelope.encoded(packingFrom: 1_024)

        #expect(try CacheEnvelope(decoding: bytes, limit: count) == envelope)
        if count >= 1_024 { #expect(bytes.count < count / 2) } else { #expect(bytes.count == count + CacheEnvelope.headerBytes) }
    }

    @Test func `says that there is nothing`() throws {
        let envelope = CacheEnvelope(value: nil, freshUntil: moment)

        #expect(try CacheEnvelope(decoding: envelope.encoded(packingFrom: 0), limit: 0) == envelope)
    }

    @Test func `is refused when it would be larger than allowed, before memory is set aside`() {
        let bomb = CacheEnvelope(value: [UInt8](repeating: 0, count: 1 << 20), freshUntil: moment).encoded(packingFrom: 1)

        #expect(bomb.count < 5_000)
        #expect(throws: CacheEnvelope.Problem.tooLarge) { try CacheEnvelope(decoding: bomb, limit: 1 << 19) }
    }

    @Test func `is refused when it is of another version or damaged`() {
        let bytes = CacheEnvelope(value: Array("value".utf8), freshUntil: moment).encoded(packingFrom: 1_024)

        for length in 0..<bytes.count {
            #expect(throws: CacheEnvelope.Problem.self) { try CacheEnvelope(decoding: Array(bytes.prefix(length)), limit: 100) }
        }
        #expect(throws: CacheEnvelope.Problem.otherVersion) { try CacheEnvelope(decoding: [2] + bytes.dropFirst(), limit: 100) }
        #expect(throws: CacheEnvelope.Problem.malformed) { try CacheEnvelope(decoding: [1, 9] + bytes.dropFirst(2), limit: 100) }
        #expect(throws: CacheEnvelope.Problem.malformed) { try CacheEnvelope(decoding: bytes + [0], limit: 100) }
    }
}

@Suite struct `A cache key` {
    @Test func `is another for another reader, other rules and other consents`() {
        let (ada, bob) = (UUID(), UUID())
        let keys = [
            CacheKey.shared("latest"), .personal("latest", seenBy: ada), .personal("latest", seenBy: bob),
            .personal("latest", seenBy: ada, policyVersion: 2), .personal("latest", seenBy: ada, consentEpoch: 1),
        ]

        #expect(Set(keys).count == keys.count)
    }
}
