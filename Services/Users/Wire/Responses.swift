internal import Contracts
internal import FoundationEssentials
internal import Time

extension UsersV1.User {
    init(_ user: User) {
        self.init(
            id: user.id.uuid.uuidString.lowercased(),
            email: user.email.text,
            name: user.profile.name.text,
            phone: user.profile.phone?.text,
            avatarUrl: user.profile.avatarURL?.text,
            birthDate: user.profile.birthDate?.text,
            sex: .init(user.profile.sex),
            timeZone: user.profile.timeZone.text,
            createdAt: .init(user.createdAt),
            updatedAt: .init(user.updatedAt),
            version: user.version)
    }
}

extension UsersV1.TokenPair {
    init(_ tokens: TokenPair) {
        self.init(
            accessToken: tokens.accessToken,
            accessTokenExpiresAt: .init(tokens.accessTokenExpiresAt),
            refreshToken: tokens.refreshToken,
            refreshTokenExpiresAt: .init(tokens.refreshTokenExpiresAt))
    }
}

extension UsersV1.Consent {
    init(_ consent: Consent) {
        self.init(
            kind: .init(consent.kind),
            granted: consent.isGranted,
            documentVersion: consent.documentVersion,
            grantedAt: .init(consent.grantedAt),
            withdrawnAt: consent.withdrawnAt.map { .init($0) },
            epoch: consent.epoch)
    }
}

extension GoogleProtobuf.Timestamp {
    init(_ instant: Instant) {
        let (seconds, microseconds) = instant.microsecondsSinceEpoch.quotientAndRemainder(dividingBy: 1_000_000)
        // Nanoseconds count forward from their second, before 1970 too.
        self.init(
            seconds: microseconds < 0 ? seconds - 1 : seconds,
            nanos: Int32(microseconds < 0 ? microseconds + 1_000_000 : microseconds) * 1_000)
    }
}
