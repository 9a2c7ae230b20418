internal import Foundation
internal import Testing

@testable internal import Tokens

@Suite struct `A signed statement` {
    private struct Claims: Codable, Equatable {
        var subject: String
        var count: Int
    }

    private let signer: TokenSigner
    private let statement: String
    private let claims = Claims(subject: "Grüße / ❤️", count: 3)

    init() throws {
        signer = try TokenSigner(privateKeyPEM: TokenSigner.newPrivateKeyPEM(), issuer: "heartguard")
        statement = try signer.sign(claims, type: "note+jwt")
    }

    @Test func `says what was signed, to whoever has the public key`() throws {
        let keys = try TokenKeySet(json: signer.jwks)

        #expect(keys.claims(of: statement, type: "note+jwt", as: Claims.self) == claims)
    }

    @Test func `says nothing when a byte of it is another, it is of another type, or the key is not known`() throws {
        let keys = signer.keySet
        let stranger = try TokenSigner(privateKeyPEM: TokenSigner.newPrivateKeyPEM(), issuer: "heartguard")

        #expect(keys.claims(of: statement, type: "other+jwt", as: Claims.self) == nil)
        #expect(stranger.keySet.claims(of: statement, type: "note+jwt", as: Claims.self) == nil)
        #expect(keys.claims(of: "", type: "note+jwt", as: Claims.self) == nil)
        for place in statement.indices where statement[place] != "." {
            var forged = statement
            forged.replaceSubrange(place...place, with: statement[place] == "A" ? "B" : "A")
            // The last character of a part has bits that say nothing.
            let decoded = forged.split(separator: ".").map { Base64URL.decode($0) } == statement.split(separator: ".").map { Base64URL.decode($0) }
            #expect(decoded || keys.claims(of: forged, type: "note+jwt", as: Claims.self) == nil)
        }
    }

    @Test func `is no access token`() async throws {
        let verifier = try TokenVerifier(jwks: signer.jwks, issuer: "heartguard")

        await #expect(throws: TokenError.self) { try await verifier.verify(statement) }
    }
}
