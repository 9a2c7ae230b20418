internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC

// Each initialiser reads a whole request and throws INVALID_ARGUMENT with a violation for every field that is wrong.

extension NewAccount {
    init(_ request: UsersV1.RegisterRequest) throws(RPCError) {
        var violations = FieldViolations()
        let email = violations.value("email", request.email, EmailAddress.init(_:))
        let password = violations.value("password", request.password, Password.init(_:))
        let name = violations.value("name", request.name, PersonName.init(_:))
        let phone = violations.optional("phone", request.phone, PhoneNumber.init(_:))
        let birthDate = violations.optional("birth_date", request.birthDate, BirthDate.init(_:))
        let sex = violations.value("sex", request.sex, Sex.init(_:))
        let timeZone = request.timeZone.isEmpty
            ? TimeZoneName.utc : violations.value("time_zone", request.timeZone, TimeZoneName.init(_:))
        let profile = try violations.complete(name, sex, timeZone)
        (self.email, self.password) = try violations.complete(email, password)
        self.profile = Profile(
            name: profile.0, phone: phone, birthDate: birthDate, sex: profile.1, timeZone: profile.2)
    }
}

/// The address and the password of somebody who signs in.
struct SignIn {
    let email: EmailAddress
    let password: String

    init(_ request: UsersV1.LogInRequest) throws(RPCError) {
        var violations = FieldViolations()
        let email = violations.value("email", request.email, EmailAddress.init(_:))
        violations.check(shown: request.password)
        self.email = try violations.complete(email)
        password = request.password
    }
}

extension ProfileChange {
    init(_ request: UsersV1.UpdateProfileRequest) throws(RPCError) {
        var violations = FieldViolations()
        var mask = UpdateMask(request.updateMask)
        name = violations.optional("name", mask.value("name", request.name, empty: ""), PersonName.init(_:))
        phone = violations.removable("phone", mask.value("phone", request.phone, empty: ""), PhoneNumber.init(_:))
        avatarURL = violations.removable("avatar_url", mask.value("avatar_url", request.avatarUrl, empty: ""), AvatarURL.init(_:))
        birthDate = violations.removable("birth_date", mask.value("birth_date", request.birthDate, empty: ""), BirthDate.init(_:))
        sex = violations.optional("sex", mask.value("sex", request.sex, empty: .unspecified), Sex.init(_:))
        timeZone = violations.optional(
            "time_zone", mask.value("time_zone", request.timeZone, empty: TimeZoneName.utc.text), TimeZoneName.init(_:))
        mask.check(noting: &violations)
        violations.check(
            request.expectedVersion.map { $0 > 0 } ?? true, "expected_version", "A version is one or more.")
        try violations.throwIfAny()
    }
}

extension FieldViolations {
    /// A password that somebody shows. The rules for new ones don't apply, for they may change; a limit does, since hashing costs.
    fileprivate mutating func check(shown password: String, as field: String = "password") {
        check(!password.isEmpty, field, "The field is needed.")
        check(
            password.unicodeScalars.count <= Password.characters.upperBound, field,
            "The field has more than \(Password.characters.upperBound) characters.")
    }

    /// A field that an empty text removes: absent is `nil`, empty is `.some(nil)`.
    mutating func removable<Value>(
        _ field: String, _ given: String?, _ parse: (String) throws(InvalidValue) -> Value
    ) -> Value?? {
        guard let given else { return nil }
        return .some(given.isEmpty ? nil : value(field, given, parse))
    }
}

/// What somebody consents to, and to which text.
struct Agreement {
    let kind: ConsentKind
    let document: DocumentVersion

    init(_ request: UsersV1.GiveConsentRequest) throws(RPCError) {
        var violations = FieldViolations()
        let kind = violations.value("kind", request.kind, ConsentKind.init(_:))
        let document = violations.value("document_version", request.documentVersion, DocumentVersion.init(_:))
        (self.kind, self.document) = try violations.complete(kind, document)
    }
}

extension ConsentKind {
    init(_ request: UsersV1.WithdrawConsentRequest) throws(RPCError) {
        var violations = FieldViolations()
        let kind = violations.value("kind", request.kind, ConsentKind.init(_:))
        self = try violations.complete(kind)
    }
}

extension UsersV1.ChangePasswordRequest {
    func parsed() throws(RPCError) -> (current: String, new: Password) {
        var violations = FieldViolations()
        violations.check(shown: currentPassword, as: "current_password")
        let new = violations.value("new_password", newPassword, Password.init(_:))
        return (currentPassword, try violations.complete(new))
    }
}

extension UsersV1.EraseAccountRequest {
    /// The password.
    func parsed() throws(RPCError) -> String {
        var violations = FieldViolations()
        violations.check(shown: password)
        try violations.throwIfAny()
        return password
    }
}

extension UsersV1.EraseUserRequest {
    func parsed() throws(RPCError) -> UserID {
        var violations = FieldViolations()
        let user = violations.value("user_id", userId, UUID.init(parsing:))
        return UserID(try violations.complete(user))
    }
}

extension UsersV1.GetErasureRequest {
    func parsed() throws(RPCError) -> ErasureID {
        var violations = FieldViolations()
        let erasure = violations.value("erasure_id", erasureId, ErasureID.init(parsing:))
        return try violations.complete(erasure)
    }
}
