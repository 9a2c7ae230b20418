import Foundation
import Testing
import Time
import Tokens

/// The code of docs/libraries/Tokens.md.
@Suite struct `The page about tokens` {
    @Test func `shows code that does what it says`() async throws {
        let (user, session) = (UUID(), UUID())

        let signer = try TokenSigner(privateKeyPEM: TokenSigner.newPrivateKeyPEM(), issuer: "heartguard")
        let claims = AccessClaims(subject: user, role: .user, expiresAt: .now() + .seconds(900), sessionID: session)
        let token = try await signer.sign(claims)

        let verifier = try TokenVerifier(jwks: signer.jwks, issuer: "heartguard")
        let verified = try await verifier.verify(token)

        let next = try TokenSigner(privateKeyPEM: TokenSigner.newPrivateKeyPEM(), issuer: "heartguard")
        let published = try signer.keySet.merging(next.keySet).json
        try verifier.replaceKeys(jwks: published)

        let receipt = try signer.sign(["rows": 3], type: "receipt+jwt")
        #expect(try signer.keySet.claims(of: receipt, type: "receipt+jwt", as: [String: Int].self) == ["rows": 3])

        let refresh = RefreshToken(userID: user)
        let shown = try RefreshToken(parsing: refresh.text)

        #expect(verified == claims)
        #expect(try await verifier.verify(token) == claims)
        #expect(shown.digest == refresh.digest)
    }
}
