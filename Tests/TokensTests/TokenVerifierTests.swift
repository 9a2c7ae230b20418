import Crypto
import Foundation
import Synchronization
import Testing
import Time
import Tokens

/// A clock that stands still until it is moved.
final class ManualClock: Sendable {
    private let instant: Mutex<Instant>
    init(at instant: Instant) { self.instant = Mutex(instant) }
    var now: Instant { instant.withLock { $0 } }
    func advance(by duration: Duration) { instant.withLock { $0 = $0 + duration } }
}

@Suite struct `An access token` {
    static let noon = 1_764_000_000
    let clock = ManualClock(at: Instant(microsecondsSinceEpoch: Int64(noon) * 1_000_000))
    let key = P256.Signing.PrivateKey()
    let signer: TokenSigner
    let verifier: TokenVerifier

    init() throws {
        signer = try TokenSigner(privateKeyPEM: key.pemRepresentation, issuer: "heartguard-users", keyID: "k1")
        verifier = try TokenVerifier(jwks: signer.jwks, issuer: "heartguard-users") { [clock] in clock.now }
    }

    var claims: AccessClaims {
        AccessClaims(
            subject: UUID(), role: .user, issuedAt: clock.now, expiresAt: clock.now + .seconds(900), sessionID: UUID())
    }

    var forged: ForgedToken { ForgedToken(key: key, keyID: "k1", at: Self.noon) }

    func code(_ token: String) async -> TokenError.Code? {
        do throws(TokenError) {
            _ = try await verifier.verify(token)
            return nil
        } catch {
            return error.code
        }
    }

    @Test func `gives back the claims that were signed`() async throws {
        let claims = claims

        let token = try await signer.sign(claims)
        let first = try await verifier.verify(token)
        let remembered = try await verifier.verify(token)

        #expect(first == claims)
        #expect(remembered == claims)
    }

    @Test func `of another implementation is accepted, with an array of audiences and dates with fractions`() async throws {
        var token = forged
        token.claims["aud"] = ["somebody", "heartguard"]
        token.claims["exp"] = Double(Self.noon) + 900.25
        token.claims["role"] = "operator"

        let claims = try await verifier.verify(token.signed())

        #expect(claims.role == .operator_)
        #expect(claims.subject.uuidString.lowercased() == "018f4a7e-7a3b-7c50-8d1e-3f1d2c4b5a69")
        #expect(claims.expiresAt == clock.now + .seconds(900))
    }

    @Test func `expires a leeway after its time, also when it is remembered`() async throws {
        let token = try await signer.sign(claims)
        #expect(await code(token) == nil)

        clock.advance(by: .seconds(929))
        let shortlyBefore = await code(token)
        clock.advance(by: .seconds(1))
        let shortlyAfter = await code(token)

        #expect(shortlyBefore == nil)
        #expect(shortlyAfter == .expired)
    }

    @Test(arguments: ["nbf", "iat"])
    func `from the future is not valid yet, beyond the leeway`(claim: String) async throws {
        var token = forged
        token.claims[claim] = Self.noon + 30
        let withinLeeway = try await code(token.signed())
        token.claims[claim] = Self.noon + 31
        let beyond = try await code(token.signed())

        #expect(withinLeeway == nil)
        #expect(beyond == .notYetValid)
    }

    @Test func `of another issuer or for another audience is refused`() async throws {
        var issuer = forged
        issuer.claims["iss"] = "somebody"
        var audience = forged
        audience.claims["aud"] = ["somebody"]
        var nobody = forged
        nobody.claims["aud"] = [String]()

        #expect(try await code(issuer.signed()) == .wrongIssuer)
        #expect(try await code(audience.signed()) == .wrongAudience)
        #expect(try await code(nobody.signed()) == .wrongAudience)
    }

    @Test func `signed with another key under a known id is refused`() async throws {
        let token = ForgedToken(key: P256.Signing.PrivateKey(), keyID: "k1", at: Self.noon)

        #expect(try await code(token.signed()) == .wrongSignature)
    }

    @Test func `signed with a key of an unknown id, or of none, is refused even if the signature would hold`() async throws {
        var unknown = forged
        unknown.header["kid"] = "k2"
        var none = forged
        none.header["kid"] = nil

        #expect(try await code(unknown.signed()) == .unknownKey)
        #expect(try await code(none.signed()) == .unknownKey)
    }

    @Test(arguments: ["none", "None", "HS256", "ES384", "RS256", "es256", ""])
    func `that names another algorithm than ES256 is refused`(algorithm: String) async throws {
        var token = forged
        token.header["alg"] = algorithm

        #expect(try await code(token.signed()) == .wrongAlgorithm)
        #expect(try await code(token.unsigned() + ".") == .wrongAlgorithm)
    }

    @Test func `whose HMAC was made with the public key as the secret is refused`() async throws {
        var token = forged
        token.header["alg"] = "HS256"
        let signed = try token.unsigned()
        let secret = SymmetricKey(data: Data(key.publicKey.pemRepresentation.utf8))
        let mac = HMAC<SHA256>.authenticationCode(for: Data(signed.utf8), using: secret)

        #expect(await code(signed + "." + ForgedToken.base64URL(Data(mac))) == .wrongAlgorithm)
    }

    @Test func `of another type, or that demands extensions, is refused`() async throws {
        var identity = forged
        identity.header["typ"] = "JWT"
        var critical = forged
        critical.header["crit"] = ["exp"]

        #expect(try await code(identity.signed()) == .wrongAlgorithm)
        #expect(try await code(critical.signed()) == .malformed)
    }

    @Test func `that was changed in any one character is refused`() async throws {
        let token = Array(try await signer.sign(claims))
        // The last character of the signature carries bits that no decoder reads, so it is left out.
        for position in stride(from: 0, to: token.count - 1, by: 7) {
            var changed = token
            changed[position] = changed[position] == "A" ? "B" : "A"

            #expect(await code(String(changed)) != nil, "position \(position)")
        }
    }

    @Test(arguments: ["iss", "aud", "sub", "jti", "sid", "role", "iat", "nbf", "exp"])
    func `without one of its claims is refused`(claim: String) async throws {
        var missing = forged
        missing.claims[claim] = nil
        var wrong = forged
        wrong.claims[claim] = ["wrong": true]

        #expect(try await code(missing.signed()) == .malformed)
        #expect(try await code(wrong.signed()) == .malformed)
    }

    @Test(arguments: [
        "", ".", "..", "...", "a.b.c", "eyJhbGciOiJFUzI1NiJ9", "\u{0}.\u{0}.\u{0}",
        "eyJhbGciOiJFUzI1NiJ9.e30.AAAA.AAAA", "e30=.e30=.AAAA", String(repeating: "A", count: 5000),
    ])
    func `is not read from anything else`(text: String) async {
        #expect(await code(text) == .malformed)
    }

    @Test func `with a signature of the wrong length is refused`() async throws {
        let signed = try forged.unsigned()

        #expect(await code(signed + ".") == .wrongSignature)
        #expect(await code(signed + ".AAAA") == .wrongSignature)
        #expect(await code(signed + "." + String(repeating: "A", count: 86)) == .wrongSignature)
    }

    @Test func `does not appear in the error that refuses it`() async throws {
        var token = forged
        token.claims["role"] = "a-role-that-is-a-secret"
        let text = try token.signed()

        let error = await #expect(throws: TokenError.self) { try await verifier.verify(text) }

        let printed = String(reflecting: error)
        #expect(!printed.contains("a-role-that-is-a-secret"))
        #expect(!text.split(separator: ".").contains { printed.contains($0) })
    }

    @Test func `is refused once its key is withdrawn, though it was remembered`() async throws {
        let token = try await signer.sign(claims)
        #expect(await code(token) == nil)
        let next = try TokenSigner(privateKeyPEM: TokenSigner.newPrivateKeyPEM(), issuer: "heartguard-users")

        try verifier.replaceKeys(jwks: next.jwks)

        #expect(await code(token) == .unknownKey)
    }
}
