internal import FoundationEssentials
internal import JWTKit
internal import Time

/// The claims as they stand in the token (RFC 7519, section 4.1; `sid` from OpenID Connect; `role` is ours).
struct AccessPayload: JWTPayload {
    var iss: String
    var aud: Audience
    var sub: String
    var jti: String
    var sid: String
    var role: String
    var iat: NumericDate
    var nbf: NumericDate
    var exp: NumericDate

    init(_ claims: AccessClaims, issuer: String, audience: String) {
        iss = issuer
        aud = Audience(names: [audience])
        sub = claims.subject.text
        jti = claims.tokenID
        sid = claims.sessionID.text
        role = claims.role.rawValue
        iat = NumericDate(claims.issuedAt)
        nbf = NumericDate(claims.issuedAt)
        exp = NumericDate(claims.expiresAt)
    }

    /// JWTKit asks this after the signature; `TokenVerifier` checks the claims itself, with its clock and its errors.
    func verify(using algorithm: some JWTAlgorithm) {}

    var claims: AccessClaims {
        get throws(TokenError) {
            guard let subject = UUID(uuidString: sub) else { throw .malformed("its subject is no id of ours") }
            guard let session = UUID(uuidString: sid) else { throw .malformed("its session is no id of ours") }
            guard !jti.isEmpty else { throw .malformed("it has no id") }
            guard let role = AccessClaims.Role(rawValue: role) else { throw .malformed("its role is unknown") }
            return AccessClaims(
                subject: subject, tokenID: jti, role: role, issuedAt: iat.instant, expiresAt: exp.instant,
                sessionID: session)
        }
    }
}

/// `aud`: one name or an array of names.
struct Audience: Codable, Sendable {
    var names: [String]

    init(names: [String]) { self.names = names }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let name = try? container.decode(String.self) {
            names = [name]
        } else {
            names = try container.decode([String].self)
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if names.count == 1 { try container.encode(names[0]) } else { try container.encode(names) }
    }
}

/// Seconds since 1970, which other issuers may write with a fraction.
struct NumericDate: Codable, Sendable {
    var instant: Instant

    init(_ instant: Instant) { self.instant = instant }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let seconds = try container.decode(Double.self)
        // The year 9999; beyond it a date is a mistake, and the conversion below could trap.
        guard (0...253_402_300_799).contains(seconds) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a date")
        }
        instant = Instant(secondsSinceEpoch: Int64(seconds))
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(instant.secondsSinceEpoch)
    }
}
