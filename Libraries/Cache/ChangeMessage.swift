/// One change, as it is told on the channel: who tells it, of which cache, which entry.
struct ChangeMessage: Hashable {
    /// The Redis channel on which changes of a cache are told, so that only programs that have it hear of them.
    static func channel(of cache: String) -> String { "cache:changes:\(cache)" }

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
        let newline = UInt8(ascii: "\n")
        guard let first = bytes.firstIndex(of: newline), let second = bytes[(first + 1)...].firstIndex(of: newline),
            let origin = String(validating: bytes[..<first], as: UTF8.self),
            let cache = String(validating: bytes[(first + 1)..<second], as: UTF8.self),
            let key = String(validating: bytes[(second + 1)...], as: UTF8.self)
        else { return nil }
        self.init(origin: origin, cache: cache, key: CacheKey(text: key))
    }
}
