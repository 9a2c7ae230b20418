/// One entry of one cache, also of another program's, by the names that it has in Redis.
package struct CacheEntry: Hashable, Sendable {
    package let cache: String
    package let key: CacheKey

    package init(cache: String, key: CacheKey) {
        self.cache = cache
        self.key = key
    }
}
