import Crypto
import Foundation
import Tokens

/// Builds a token part by part with swift-crypto alone, as an attacker or another issuer would.
struct ForgedToken {
    var header: [String: Any] = ["alg": "ES256", "typ": "at+jwt"]
    var claims: [String: Any]
    let key: P256.Signing.PrivateKey

    init(key: P256.Signing.PrivateKey, keyID: String, at seconds: Int) {
        self.key = key
        header["kid"] = keyID
        claims = [
            "iss": "heartguard-users", "aud": "heartguard", "sub": "018f4a7e-7a3b-7c50-8d1e-3f1d2c4b5a69",
            "jti": "018f4a7e-7a3b-7c50-8d1e-000000000001", "sid": "018f4a7e-7a3b-7c50-8d1e-000000000002",
            "role": "user", "iat": seconds, "nbf": seconds, "exp": seconds + 900,
        ]
    }

    /// Signed with the key, whatever the header says.
    func signed() throws -> String {
        let signed = try unsigned()
        return try signed + "." + Self.base64URL(key.signature(for: Data(signed.utf8)).rawRepresentation)
    }

    /// Header and payload, which the signature covers.
    func unsigned() throws -> String {
        try Self.base64URL(JSONSerialization.data(withJSONObject: header)) + "."
            + Self.base64URL(JSONSerialization.data(withJSONObject: claims))
    }

    static func base64URL(_ data: some DataProtocol) -> String {
        Data(data).base64EncodedString().replacingOccurrences(of: "+", with: "-")
            .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
    }
}
