import Crypto
import Foundation
import Testing
import Time
import Tokens

@Suite struct `A token key set` {
    /// The key of RFC 7515, appendix A.3.
    static let x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
    static let y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"

    static func json(_ members: String) -> String { #"{"keys":[{\#(members)}]}"# }

    func signer(_ keyID: String? = nil) throws -> TokenSigner {
        try TokenSigner(privateKeyPEM: TokenSigner.newPrivateKeyPEM(), issuer: "users", keyID: keyID)
    }

    @Test func `comes back as it was written, and holds no private key`() throws {
        let keys = try signer("a").keySet.merging(signer("b").keySet)

        let json = try keys.json
        let parsed = try TokenKeySet(json: json)

        #expect(parsed == keys)
        #expect(parsed.keyIDs == ["a", "b"])
        let members = try #require(JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: [[String: String]]])
        #expect(try Set(#require(members["keys"]?.first).keys) == ["kty", "crv", "kid", "use", "alg", "x", "y"])
    }

    @Test func `names a key by its RFC 7638 thumbprint unless told otherwise`() throws {
        // The private key of RFC 7515, appendix A.3; the expected id was computed with Python's hashlib.
        let secret = try #require(Data(base64Encoded: "jpsQnnGQmL+YBIffH1136cspYG6+0iY7X1fCE9+E9LI="))
        let key = try P256.Signing.PrivateKey(rawRepresentation: secret)

        let signer = try TokenSigner(privateKeyPEM: key.pemRepresentation, issuer: "users")

        #expect(signer.keyID == "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U")
        #expect(try signer.jwks.contains(Self.x))
        #expect(try signer.jwks.contains(Self.y))
    }

    @Test func `lets tokens of the old and the new key pass while keys rotate`() async throws {
        let old = try signer()
        let new = try signer()
        let verifier = try TokenVerifier(jwks: old.keySet.merging(new.keySet).json, issuer: "users")
        let claims = AccessClaims(
            subject: UUID(), role: .user, expiresAt: .now() + .seconds(900), sessionID: UUID())

        let fromOld = try await verifier.verify(old.sign(claims))
        let fromNew = try await verifier.verify(new.sign(claims))
        try verifier.replaceKeys(jwks: old.keySet.merging(new.keySet).removing(old.keyID).json)

        #expect(fromOld == claims)
        #expect(fromNew == claims)
        await #expect { try await verifier.verify(old.sign(claims)) } throws: {
            ($0 as? TokenError)?.code == .unknownKey
        }
        #expect(try await verifier.verify(new.sign(claims)) == claims)
    }

    @Test func `refuses one id for two keys`() throws {
        let one = try signer("same").keySet
        let other = try signer("same").keySet

        #expect(throws: TokenError.self) { try one.merging(other) }
        #expect(try one.merging(one) == one)
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"keys":[]}"#,
        json(#""kty":"RSA","kid":"a","n":"AQAB","e":"AQAB""#),
        json(#""kty":"oct","kid":"a","k":"c2VjcmV0""#),
        json(#""kty":"EC","crv":"P-384","kid":"a","x":"\#(x)","y":"\#(y)""#),
        json(#""kty":"EC","crv":"P-256","x":"\#(x)","y":"\#(y)""#),
        json(#""kty":"EC","crv":"P-256","kid":"","x":"\#(x)","y":"\#(y)""#),
        json(#""kty":"EC","crv":"P-256","kid":"a","alg":"ES384","x":"\#(x)","y":"\#(y)""#),
        json(#""kty":"EC","crv":"P-256","kid":"a","use":"enc","x":"\#(x)","y":"\#(y)""#),
        json(#""kty":"EC","crv":"P-256","kid":"a","x":"\#(x)","y":"\#(x)""#),
        json(#""kty":"EC","crv":"P-256","kid":"a","x":"\#(x)","y":"AAAA""#),
        json(#""kty":"EC","crv":"P-256","kid":"a","x":"\#(x)","y":"\#(y)","d":"\#(x)""#),
    ])
    func `is refused when it is damaged, holds other keys, or a private one`(json: String) {
        #expect { try TokenKeySet(json: json) } throws: { ($0 as? TokenError)?.code == .invalidKeys }
        #expect(throws: TokenError.self) { try TokenVerifier(jwks: json, issuer: "users") }
    }

    @Test(arguments: ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
    func `is not made from what is no private key`(pem: String) {
        #expect { try TokenSigner(privateKeyPEM: pem, issuer: "users") } throws: {
            ($0 as? TokenError)?.code == .invalidKeys
        }
    }
}
