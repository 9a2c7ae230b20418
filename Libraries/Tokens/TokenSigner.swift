internal import Crypto
internal import JWTKit

/// Makes access tokens: JSON Web Tokens signed with ES256 (ECDSA on P-256 with SHA-256).
package struct TokenSigner: Sendable {
    /// RFC 9068: says in the header that this is an access token, so that no other kind of JWT passes for one.
    static let type = "at+jwt"

    package let issuer: String
    package let audience: String
    package let keyID: String
    /// The public half, to be published.
    package let keySet: TokenKeySet
    let privateKey: P256.Signing.PrivateKey
    private let key: ES256PrivateKey

    /// Throws `.invalidKeys` if the text is no P-256 private key in PEM (PKCS #8 or SEC 1).
    ///
    /// - Parameter keyID: the key's name in the key set; by default the thumbprint of RFC 7638.
    package init(
        privateKeyPEM: String, issuer: String, audience: String = "heartguard", keyID: String? = nil
    ) throws(TokenError) {
        do {
            privateKey = try P256.Signing.PrivateKey(pemRepresentation: privateKeyPEM)
            key = try ES256PrivateKey(backing: privateKey)
        } catch {
            throw .invalidKeys("the private key is not a P-256 key in PEM")
        }
        let publicKey = TokenKeySet.Key(privateKey.publicKey, keyID: keyID)
        self.issuer = issuer
        self.audience = audience
        self.keyID = publicKey.kid
        keySet = TokenKeySet(keys: [publicKey])
    }

    /// A new private key in PEM (PKCS #8), for whoever sets up a cluster.
    package static func newPrivateKeyPEM() -> String {
        P256.Signing.PrivateKey().pemRepresentation
    }

    /// The public half as a JSON Web Key Set.
    package var jwks: String {
        get throws(TokenError) { try keySet.json }
    }

    /// A signed token. Costs an ECDSA signature, a fraction of a millisecond.
    package func sign(_ claims: AccessClaims) async throws(TokenError) -> String {
        let keys = JWTKeyCollection()
        let id = JWKIdentifier(string: keyID)
        await keys.add(ecdsa: key, kid: id)
        var header = JWTHeader()
        header.typ = Self.type
        do {
            return try await keys.sign(
                AccessPayload(claims, issuer: issuer, audience: audience), kid: id, header: header)
        } catch {
            throw TokenError(.signingFailed, "The access token could not be signed.")
        }
    }
}
