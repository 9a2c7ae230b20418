/// One change, as it is told on the channel: who tells it, of which cache, which entry.
struct ChangeMessage: Hashable {
    /// The Redis channel on which changes are told.
    static let channel = "cache:changes"

    let origin: String
    let cache: String
    let key: CacheKey

    init(origin: String, cache: String, key: CacheKey) {
        self.origin = origin
        self.cache = cache
        self.key = key
    }

    var bytes: [UInt8] { Array("\(origin)\n\(cache)\n\(key.text)".utf8) }

    /// `nil` for what is no such message.
    init?(_ bytes: [UInt8]) {
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        let parts = text.split(separator: "\n", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        self.init(origin: String(parts[0]), cache: String(parts[1]), key: CacheKey(text: String(parts[2])))
    }
}
