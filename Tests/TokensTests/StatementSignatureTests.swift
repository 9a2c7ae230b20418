internal import Foundation
internal import Testing
internal import Time

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

        #expect(try keys.claims(of: statement, type: "note+jwt", as: Claims.self) == claims)
    }

    private func refusal(_ statement: String, type: String = "note+jwt", by keys: TokenKeySet? = nil) -> TokenError.Code? {
        do throws(TokenError) {
            _ = try (keys ?? signer.keySet).claims(of: statement, type: type, as: Claims.self)
            return nil
        } catch { return error.code }
    }

    @Test func `says nothing when a byte of it is another, it is of another type, or the key is not known`() async throws {
        let stranger = try TokenSigner(privateKeyPEM: TokenSigner.newPrivateKeyPEM(), issuer: "heartguard")

        #expect(refusal(statement, type: "other+jwt") == .wrongAlgorithm)
        #expect(refusal(statement, by: stranger.keySet) == .unknownKey)
        for text in ["", "..", "a.b", statement + ".", statement + "\n", String(repeating: "A", count: 100_000)] { #expect(refusal(text) == .malformed) }
        let access = try await signer.sign(AccessClaims(subject: UUID(), role: .user, expiresAt: .now(), sessionID: UUID()))
        #expect(refusal(access) == .wrongAlgorithm)
        let signed = try signer.sign(["count": 3], type: "note+jwt")
        #expect(refusal(signed) == .malformed)
        for place in statement.indices where statement[place] != "." {
            var forged = statement
            forged.replaceSubrange(place...place, with: statement[place] == "A" ? "B" : "A")
            // The last character of a part has bits that say nothing.
            let decoded = forged.split(separator: ".").map { Base64URL.decode($0) } == statement.split(separator: ".").map { Base64URL.decode($0) }
            #expect(decoded || refusal(forged) != nil)
        }
        let parts = statement.split(separator: ".")
        let other = try signer.sign(Claims(subject: "Eve", count: 4), type: "note+jwt").split(separator: ".")
        #expect(refusal("\(parts[0]).\(other[1]).\(parts[2])") == .wrongSignature)
    }

    @Test func `is no access token`() async throws {
        let verifier = try TokenVerifier(jwks: signer.jwks, issuer: "heartguard")

        await #expect(throws: TokenError.self) { try await verifier.verify(statement) }
    }
}
