internal import Time

/// What a signed-in caller holds.
struct TokenPair: Sendable {
    let accessToken: String
    let accessTokenExpiresAt: Instant
    let refreshToken: String
    let refreshTokenExpiresAt: Instant
}

/// How long tokens are good for.
struct TokenLifetimes: Sendable {
    /// Short, for a token that is not on the blocklist is believed until then.
    var access: Duration = .seconds(15 * 60)
    var refresh: Duration = .seconds(30 * 86_400)
}
