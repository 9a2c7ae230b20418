internal import Crypto
internal import FoundationEssentials

extension TokenSigner {
    /// A statement as a JSON Web Signature (RFC 7515, compact), signed with ES256 under the key that access tokens are signed with. The type in
    /// its header keeps it from passing for one.
    package func sign(_ claims: some Encodable, type: String) throws(TokenError) -> String {
        precondition(type != Self.type, "a statement is no access token")
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            let header = try encoder.encode(["alg": "ES256", "kid": keyID, "typ": type])
            let content = "\(Base64URL.encode(header)).\(Base64URL.encode(try encoder.encode(claims)))"
            return "\(content).\(Base64URL.encode(try privateKey.signature(for: Data(content.utf8)).rawRepresentation))"
        } catch {
            throw TokenError(.signingFailed, "The statement could not be signed.")
        }
    }
}

extension TokenKeySet {
    /// The claims of a statement, if one of these keys has signed it as of this type; `nil` otherwise.
    package func claims<Claims: Decodable>(of statement: String, type: String, as _: Claims.Type) -> Claims? {
        let parts = statement.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let head = Base64URL.decode(parts[0]), let body = Base64URL.decode(parts[1]), let mark = Base64URL.decode(parts[2]),
            let header = try? JSONDecoder().decode([String: String].self, from: Data(head)),
            header["typ"] == type, header["alg"] == "ES256", let key = keys.first(where: { $0.kid == header["kid"] })?.verificationKey,
            let signature = try? P256.Signing.ECDSASignature(rawRepresentation: mark),
            key.isValidSignature(signature, for: Data("\(parts[0]).\(parts[1])".utf8))
        else { return nil }
        // What cannot be read as the claims is no statement of this kind.
        return try? JSONDecoder().decode(Claims.self, from: Data(body))
    }
}

extension TokenKeySet.Key {
    fileprivate var verificationKey: P256.Signing.PublicKey? {
        guard let x = Base64URL.decode(x), let y = Base64URL.decode(y) else { return nil }
        // 0x04, then both coordinates (SEC 1, section 2.3.3). What is no point of the curve is no key.
        return try? P256.Signing.PublicKey(x963Representation: [4] + x + y)
    }
}
