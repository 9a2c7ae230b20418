internal import Crypto
internal import FoundationEssentials
internal import JWTKit
internal import Synchronization
package import Time

/// Checks access tokens against a key set, an issuer and an audience.
///
/// The key is the one that the token's header names, the algorithm is ES256 whatever the header says, and nothing in
/// the token is believed before its signature holds. Verified tokens are remembered until they expire, bounded in
/// number; revocation is not decided here but by the blocklist.
package final class TokenVerifier: Sendable {
    /// Longer tokens are refused before any work; ours have about 500 bytes.
    package static let maxTokenBytes = 4096

    private struct State {
        var keys: [String: ES256PublicKey]
        var cache: VerifiedTokenCache
    }

    private let state: Mutex<State>
    private let issuer: String
    private let audience: String
    private let leeway: Duration
    private let maxCachedTokens: Int
    private let now: @Sendable () -> Instant

    /// Throws `.invalidKeys` if the key set cannot be used.
    ///
    /// - Parameters:
    ///   - jwks: a JSON Web Key Set of P-256 keys.
    ///   - leeway: how far the clocks of issuer and verifier may lie apart. A revoked token has to stay on the
    ///     blocklist for that long after it expires.
    ///   - now: the clock; tests pass their own.
    package init(
        jwks: String, issuer: String, audience: String = "heartguard", leeway: Duration = .seconds(30),
        maxCachedTokens: Int = 16_384, now: @escaping @Sendable () -> Instant = { .now() }
    ) throws(TokenError) {
        self.issuer = issuer
        self.audience = audience
        self.leeway = leeway
        self.maxCachedTokens = maxCachedTokens
        self.now = now
        let keys = try Self.keys(in: jwks)
        state = Mutex(State(keys: keys, cache: VerifiedTokenCache(capacity: maxCachedTokens)))
    }

    /// Replaces the key set, and forgets every verified token: a key may have been withdrawn.
    package func replaceKeys(jwks: String) throws(TokenError) {
        let keys = try Self.keys(in: jwks)
        state.withLock { $0 = State(keys: keys, cache: VerifiedTokenCache(capacity: maxCachedTokens)) }
    }

    /// The claims of a token that is valid now. Costs an ECDSA verification the first time, a fraction of a millisecond;
    /// while the token is remembered, its SHA-256 and a look-up.
    package func verify(_ token: String) async throws(TokenError) -> AccessClaims {
        guard token.utf8.count <= Self.maxTokenBytes else { throw .malformed("it is too long") }
        let digest = SHA256.hash(data: Data(token.utf8))
        if let entry = state.withLock({ $0.cache.entry(for: digest) }) {
            return try claims(of: entry, digest: digest)
        }
        let (keyID, key) = try key(for: token)
        let payload = try await Self.payload(of: token, keyID: keyID, key: key)
        guard payload.iss == issuer else {
            throw TokenError(.wrongIssuer, "The token comes from another issuer.")
        }
        guard payload.aud.names.contains(audience) else {
            throw TokenError(.wrongAudience, "The token is meant for another audience.")
        }
        let entry = VerifiedTokenCache.Entry(claims: try payload.claims, notBefore: payload.nbf.instant)
        let claims = try claims(of: entry, digest: digest)
        state.withLock { state in
            // The key may have been withdrawn while the signature was checked.
            if state.keys[keyID] == key { state.cache.insert(entry, for: digest) }
        }
        return claims
    }

    /// Judges the times, which have to be asked again at every use.
    private func claims(of entry: VerifiedTokenCache.Entry, digest: SHA256Digest) throws(TokenError) -> AccessClaims {
        let now = now()
        guard now < entry.claims.expiresAt + leeway else {
            state.withLock { $0.cache.remove(digest) }
            throw TokenError(.expired, "The token has expired.")
        }
        guard now + leeway >= max(entry.notBefore, entry.claims.issuedAt) else {
            throw TokenError(.notYetValid, "The token is not valid yet.")
        }
        return entry.claims
    }

    /// Reads the header, from which only the key's id is taken.
    private func key(for token: String) throws(TokenError) -> (id: String, key: ES256PublicKey) {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts.allSatisfy({ $0.utf8.allSatisfy(Base64URL.isAllowed) }),
            let bytes = Base64URL.decode(parts[0]),
            let header = try? JSONDecoder().decode(Header.self, from: Data(bytes))
        else { throw .malformed("it is not a signed JSON Web Token") }
        guard header.alg == "ES256" else {
            throw TokenError(.wrongAlgorithm, "The token is not signed with ES256.")
        }
        guard header.typ?.lowercased() == TokenSigner.type || header.typ?.lowercased() == "application/at+jwt" else {
            throw TokenError(.wrongAlgorithm, "The token is not an access token.")
        }
        // RFC 7515, section 4.1.11: an extension that is marked critical and not understood must be refused.
        guard header.crit == nil else { throw .malformed("its header demands extensions") }
        guard let id = header.kid, let key = state.withLock({ $0.keys[id] }) else {
            throw TokenError(.unknownKey, "The token is signed with a key that is not known.")
        }
        return (id, key)
    }

    private struct Header: Decodable {
        var alg: String
        var typ: String?
        var kid: String?
        var crit: [String]?
    }

    private static func payload(
        of token: String, keyID: String, key: ES256PublicKey
    ) async throws(TokenError) -> AccessPayload {
        // A collection of just this key: JWTKit falls back to a default key when an id is unknown, and here is none.
        let keys = JWTKeyCollection()
        await keys.add(ecdsa: key, kid: JWKIdentifier(string: keyID))
        do {
            return try await keys.verify(token, as: AccessPayload.self)
        } catch let error as JWTError where error.errorType == .malformedToken {
            // Signed by us, and yet not what we sign.
            throw .malformed("a claim is missing or has the wrong type")
        } catch {
            throw TokenError(.wrongSignature, "The token's signature is not valid.")
        }
    }

    private static func keys(in jwks: String) throws(TokenError) -> [String: ES256PublicKey] {
        var keys: [String: ES256PublicKey] = [:]
        for key in try TokenKeySet(json: jwks).keys { keys[key.kid] = try TokenKeySet.publicKey(key) }
        return keys
    }
}
