internal import Crypto
internal import Time

/// The claims of tokens whose signature has been checked, by the SHA-256 of the token.
///
/// Checking a signature costs many times a look-up here, and a token is used many times. Two generations
/// keep the bound: when the young one is full it becomes the old one, and what is used again moves back, so that a
/// token in use stays and the rest is forgotten, as in an LRU list but with no list.
struct VerifiedTokenCache: Sendable {
    struct Entry: Sendable {
        var claims: AccessClaims
        var notBefore: Instant
    }

    private var young: [SHA256Digest: Entry] = [:]
    private var old: [SHA256Digest: Entry] = [:]
    private let maxYoung: Int

    /// Holds `capacity` tokens at most.
    init(capacity: Int) {
        precondition(capacity >= 2, "the cache needs room for two tokens")
        maxYoung = capacity / 2
    }

    var count: Int { young.count + old.count }

    mutating func entry(for digest: SHA256Digest) -> Entry? {
        if let entry = young[digest] { return entry }
        guard let entry = old.removeValue(forKey: digest) else { return nil }
        insert(entry, for: digest)
        return entry
    }

    mutating func insert(_ entry: Entry, for digest: SHA256Digest) {
        if young.count >= maxYoung, young[digest] == nil {
            old = young
            young = [:]
        }
        young[digest] = entry
    }

    mutating func remove(_ digest: SHA256Digest) {
        young[digest] = nil
        old[digest] = nil
    }
}
