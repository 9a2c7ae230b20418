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
    /// The claims of a statement that one of these keys has signed as of this type.
    ///
    /// Throws `.malformed` for what is no such statement, `.wrongAlgorithm` for another type or algorithm, `.unknownKey`, and `.wrongSignature` for
    /// one that is not as it was signed.
    package func claims<Claims: Decodable>(of statement: String, type: String, as _: Claims.Type) throws(TokenError) -> Claims {
        let parts = statement.split(separator: ".", omittingEmptySubsequences: false)
        guard statement.utf8.count <= Self.maxStatementBytes, parts.count == 3, let head = Base64URL.decode(parts[0]),
            let body = Base64URL.decode(parts[1]), let mark = Base64URL.decode(parts[2]),
            let header = try? JSONDecoder().decode([String: String].self, from: Data(head)),
            let signature = try? P256.Signing.ECDSASignature(rawRepresentation: mark)
        else { throw TokenError(.malformed, "It is no signed statement: three parts in base64url, of which the first is a header and the last a signature.") }
        guard header["alg"] == "ES256" else { throw TokenError(.wrongAlgorithm, "It is not signed with ES256.") }
        guard header["typ"] == type else { throw TokenError(.wrongAlgorithm, "It is not of the type \(type).") }
        guard let key = keys.first(where: { $0.kid == header["kid"] })?.verificationKey else {
            throw TokenError(.unknownKey, "It is signed with a key that is not among the \(keys.count) known.")
        }
        guard key.isValidSignature(signature, for: Data("\(parts[0]).\(parts[1])".utf8)) else {
            throw TokenError(.wrongSignature, "It is not what was signed: something of it was changed.")
        }
        // Signed by us, and yet not what is asked for.
        guard let claims = try? JSONDecoder().decode(Claims.self, from: Data(body)) else {
            throw TokenError(.malformed, "Its signature holds, and what it says is not of the form that is known.")
        }
        return claims
    }

    /// Beyond what any of ours takes: a receipt has a line for each table.
    private static let maxStatementBytes = 65_536
}

extension TokenKeySet.Key {
    fileprivate var verificationKey: P256.Signing.PublicKey? {
        guard let x = Base64URL.decode(x), let y = Base64URL.decode(y) else { return nil }
        // 0x04, then both coordinates (SEC 1, section 2.3.3). What is no point of the curve is no key.
        return try? P256.Signing.PublicKey(x963Representation: [4] + x + y)
    }
}
