internal import Contracts
internal import FoundationEssentials
internal import Time

extension UsersV1.User {
    init(_ user: User) {
        self.init(
            id: user.id.uuid.text,
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

extension UsersV1.Erasure {
    init(_ erasure: Erasure) {
        self.init(
            id: erasure.id.text,
            state: erasure.finishedAt == nil ? .pending : .done,
            requestedAt: .init(erasure.requestedAt),
            finishedAt: erasure.finishedAt.map { .init($0) },
            receipt: erasure.receipt ?? "")
    }
}
