internal import Crypto
internal import FoundationEssentials

/// A Lua script, which Redis runs as one step that nothing interrupts.
///
/// Every key that it touches has to be passed as a key, so that it would also run on a cluster.
package struct RedisScript: Sendable, Hashable {
    package let source: String
    /// What `EVALSHA` calls it.
    package let sha1: String

    package init(_ source: String) {
        self.source = source
        sha1 = Insecure.SHA1.hash(data: Data(source.utf8)).map { byte in
            let hex = String(byte, radix: 16)
            return byte < 16 ? "0" + hex : hex
        }.joined()
    }
}
