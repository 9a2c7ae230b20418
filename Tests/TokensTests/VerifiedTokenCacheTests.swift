import Crypto
import Foundation
import Testing
import Time

@testable import Tokens

@Suite struct `The cache of verified tokens` {
    static func digest(_ number: Int) -> SHA256Digest { SHA256.hash(data: Data("\(number)".utf8)) }

    let entry = VerifiedTokenCache.Entry(
        claims: AccessClaims(subject: UUID(), role: .user, expiresAt: .now(), sessionID: UUID()), notBefore: .now())

    @Test func `never holds more than its capacity`() {
        var cache = VerifiedTokenCache(capacity: 10)

        for number in 0..<1000 { cache.insert(entry, for: Self.digest(number)) }

        #expect(cache.count <= 10)
        #expect(cache.entry(for: Self.digest(999)) != nil)
        #expect(cache.entry(for: Self.digest(0)) == nil)
    }

    @Test func `keeps what is used and forgets the rest`() {
        var cache = VerifiedTokenCache(capacity: 10)
        cache.insert(entry, for: Self.digest(0))

        for number in 1..<1000 {
            cache.insert(entry, for: Self.digest(number))
            #expect(cache.entry(for: Self.digest(0)) != nil)
        }

        #expect(cache.entry(for: Self.digest(500)) == nil)
    }

    @Test func `forgets what is removed from either generation`() {
        var cache = VerifiedTokenCache(capacity: 4)
        for number in 0..<3 { cache.insert(entry, for: Self.digest(number)) }

        for number in 0..<3 { cache.remove(Self.digest(number)) }

        #expect(cache.count == 0)
    }
}
