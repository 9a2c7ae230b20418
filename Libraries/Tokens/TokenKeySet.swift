internal import Crypto
internal import FoundationEssentials
internal import JWTKit

/// The public keys that tokens are checked with: a JSON Web Key Set (RFC 7517) of P-256 keys, each under its id.
///
/// Several keys make a rotation: first publish the next key beside the present one, then sign with it, and drop the
/// old one once the last token it signed has expired.
package struct TokenKeySet: Sendable, Hashable {
    /// One key; the field names are those of RFC 7517 and RFC 7518, section 6.2.
    struct Key: Codable, Sendable, Hashable {
        var kty = "EC"
        var crv = "P-256"
        var kid: String
        var use: String? = "sig"
        var alg: String? = "ES256"
        var x: String
        var y: String
        /// A private key; never written, and refused when read.
        var d: String?
    }

    private struct Document: Codable {
        var keys: [Key]
    }

    /// Keeps the bound on what a hostile or mistaken file costs; nobody rotates through more.
    static let maxKeys = 32

    private(set) var keys: [Key]

    init(keys: [Key]) { self.keys = keys }

    /// No keys, to merge others into.
    package init() { keys = [] }

    /// Reads a key set. Throws `.invalidKeys` for what is no P-256 signing key, has no id or one twice, or holds a
    /// private key: publishing one is an accident that must not go unnoticed.
    package init(json: String) throws(TokenError) {
        // The decoder's own words could quote the file, so ours replace them.
        guard let document = try? JSONDecoder().decode(Document.self, from: Data(json.utf8)) else {
            throw .invalidKeys("the key set is not a list of keys with kty, crv, kid, x and y")
        }
        try self.init(checking: document.keys)
    }

    private init(checking keys: [Key]) throws(TokenError) {
        guard !keys.isEmpty, keys.count <= Self.maxKeys else {
            throw .invalidKeys("a key set holds between 1 and \(Self.maxKeys) keys")
        }
        guard Set(keys.map(\.kid)).count == keys.count else { throw .invalidKeys("two keys have one id") }
        for key in keys {
            guard key.d == nil else { throw .invalidKeys("the key set holds a private key") }
            guard key.kty == "EC", key.crv == "P-256", key.alg ?? "ES256" == "ES256", key.use ?? "sig" == "sig" else {
                throw .invalidKeys("only ES256 signing keys are allowed")
            }
            guard !key.kid.isEmpty else { throw .invalidKeys("a key has no id") }
            _ = try Self.publicKey(key)
        }
        self.keys = keys
    }

    /// The set as it is published, keys in their order.
    package var json: String {
        get throws(TokenError) {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
            guard let data = try? encoder.encode(Document(keys: keys)) else {
                throw .invalidKeys("the key set could not be written")
            }
            return String(decoding: data, as: UTF8.self)
        }
    }

    package var keyIDs: [String] { keys.map(\.kid) }

    /// Both sets as one; a key that is in both appears once. Throws if one id names two keys.
    package func merging(_ other: TokenKeySet) throws(TokenError) -> TokenKeySet {
        try TokenKeySet(checking: keys + other.keys.filter { !keys.contains($0) })
    }

    /// The set without this key, for the end of a rotation.
    package func removing(_ keyID: String) -> TokenKeySet {
        TokenKeySet(keys: keys.filter { $0.kid != keyID })
    }

    static func publicKey(_ key: Key) throws(TokenError) -> ES256PublicKey {
        do {
            return try ES256PublicKey(parameters: (x: key.x, y: key.y))
        } catch {
            throw .invalidKeys("a key's coordinates are no point of the curve P-256")
        }
    }
}

extension TokenKeySet.Key {
    /// The public half of a key, under the id that its content gives it unless another is named.
    init(_ publicKey: P256.Signing.PublicKey, keyID: String?) {
        // 0x04, then both coordinates of 32 bytes (SEC 1, section 2.3.3).
        let point = publicKey.x963Representation
        let x = Base64URL.encode(point.dropFirst().prefix(32))
        let y = Base64URL.encode(point.suffix(32))
        self.init(kid: keyID ?? Self.thumbprint(x: x, y: y), x: x, y: y)
    }

    /// RFC 7638: SHA-256 of the required members in lexical order, so that a key has the same id wherever it is seen.
    private static func thumbprint(x: String, y: String) -> String {
        Base64URL.encode(SHA256.hash(data: Data(#"{"crv":"P-256","kty":"EC","x":"\#(x)","y":"\#(y)"}"#.utf8)))
    }
}
