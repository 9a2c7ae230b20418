internal import Time
internal import Tokens

/// An account as it stands in the table.
struct User: Equatable, Sendable {
    let id: UserID
    let email: EmailAddress
    let role: AccessClaims.Role
    let profile: Profile
    let createdAt: Instant
    let updatedAt: Instant
    /// Grows by one with every change of the profile.
    let version: Int64
}

/// An account that is about to be opened.
struct NewAccount: Sendable {
    let email: EmailAddress
    let password: Password
    let profile: Profile
}

/// What changes in a profile: `nil` leaves the value, `.some(nil)` removes it.
struct ProfileChange: Equatable, Sendable {
    var name: PersonName?
    var phone: PhoneNumber??
    var avatarURL: AvatarURL??
    var birthDate: BirthDate??
    var sex: Sex?
    var timeZone: TimeZoneName?

    func applied(to profile: Profile) -> Profile {
        Profile(
            name: name ?? profile.name, phone: phone ?? profile.phone, avatarURL: avatarURL ?? profile.avatarURL,
            birthDate: birthDate ?? profile.birthDate, sex: sex ?? profile.sex, timeZone: timeZone ?? profile.timeZone)
    }
}
