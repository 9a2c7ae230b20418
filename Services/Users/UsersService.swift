internal import Application
internal import Contracts
internal import RPC

/// The methods of `heartguard.users.v1.UsersService`: each parses its request, does one thing and answers.
struct UsersService: Sendable {
    let accounts: Accounts
    let sessions: Sessions
    let profiles: Profiles
    let consents: ConsentRepository
    let notifications: Notifications
}

extension UsersService: UsersV1.UsersServiceProtocol {
    func register(
        _ request: UsersV1.RegisterRequest, context: RPCContext
    ) async throws -> UsersV1.RegisterResponse {
        let (user, tokens) = try await accounts.open(try NewAccount(request))
        context.concerns(user.id.uuid)
        return UsersV1.RegisterResponse(user: .init(user), tokens: .init(tokens))
    }

    func logIn(_ request: UsersV1.LogInRequest, context: RPCContext) async throws -> UsersV1.LogInResponse {
        let signIn = try SignIn(request)
        let (user, tokens) = try await accounts.signIn(signIn.email, password: signIn.password) { context.concerns($0.uuid) }
        return UsersV1.LogInResponse(user: .init(user), tokens: .init(tokens))
    }

    func refreshToken(
        _ request: UsersV1.RefreshTokenRequest, context: RPCContext
    ) async throws -> UsersV1.RefreshTokenResponse {
        var violations = FieldViolations()
        violations.check(!request.refreshToken.isEmpty, "refresh_token", "The field is needed.")
        try violations.throwIfAny()
        let tokens = try await sessions.refresh(request.refreshToken) { context.concerns($0) }
        return UsersV1.RefreshTokenResponse(tokens: .init(tokens))
    }

    func logOut(_ request: UsersV1.LogOutRequest, context: RPCContext) async throws -> UsersV1.LogOutResponse {
        try await sessions.end(try context.caller())
        return UsersV1.LogOutResponse()
    }

    func logOutEverywhere(
        _ request: UsersV1.LogOutEverywhereRequest, context: RPCContext
    ) async throws -> UsersV1.LogOutEverywhereResponse {
        try await sessions.endAll(try context.caller())
        return UsersV1.LogOutEverywhereResponse()
    }

    func getProfile(
        _ request: UsersV1.GetProfileRequest, context: RPCContext
    ) async throws -> UsersV1.GetProfileResponse {
        guard let profile = try await profiles.find(UserID(try context.caller().userID), pastMemory: context.metadata.asksPastMemory) else {
            throw UsersError.accountGone
        }
        return profile
    }

    func updateProfile(
        _ request: UsersV1.UpdateProfileRequest, context: RPCContext
    ) async throws -> UsersV1.UpdateProfileResponse {
        let caller = try context.caller()
        let user = try await profiles.update(
            UserID(caller.userID), try ProfileChange(request), expectedVersion: request.expectedVersion)
        return UsersV1.UpdateProfileResponse(user: .init(user))
    }

    func giveConsent(
        _ request: UsersV1.GiveConsentRequest, context: RPCContext
    ) async throws -> UsersV1.GiveConsentResponse {
        let caller = try context.caller()
        let agreement = try Agreement(request)
        let consent = try await consents.give(agreement.kind, to: agreement.document, by: UserID(caller.userID))
        return UsersV1.GiveConsentResponse(consent: .init(consent))
    }

    func withdrawConsent(
        _ request: UsersV1.WithdrawConsentRequest, context: RPCContext
    ) async throws -> UsersV1.WithdrawConsentResponse {
        let caller = try context.caller()
        let kind = try ConsentKind(request)
        guard let consent = try await consents.withdraw(kind, by: UserID(caller.userID)) else {
            throw UsersError.consentNeverGiven
        }
        return UsersV1.WithdrawConsentResponse(consent: .init(consent))
    }

    func listConsents(
        _ request: UsersV1.ListConsentsRequest, context: RPCContext
    ) async throws -> UsersV1.ListConsentsResponse {
        let consents = try await consents.list(of: UserID(try context.caller().userID))
        return UsersV1.ListConsentsResponse(consents: consents.map(UsersV1.Consent.init))
    }

    func listConsentHistory(
        _ request: UsersV1.ListConsentHistoryRequest, context: RPCContext
    ) async throws -> UsersV1.ListConsentHistoryResponse {
        let caller = try context.caller()
        let list = try ConsentHistoryList(request)
        // One more than asked for tells whether there is a next page.
        let found = try await consents.history(of: UserID(caller.userID), list.kind, behind: list.place, limit: list.size + 1)
        return list.page(found)
    }

    func changePassword(
        _ request: UsersV1.ChangePasswordRequest, context: RPCContext
    ) async throws -> UsersV1.ChangePasswordResponse {
        let caller = try context.caller()
        let (current, new) = try request.parsed()
        try await profiles.changing(UserID(caller.userID)) {
            try await accounts.changePassword(of: caller, from: current, to: new)
        }
        return UsersV1.ChangePasswordResponse()
    }

    func eraseAccount(
        _ request: UsersV1.EraseAccountRequest, context: RPCContext
    ) async throws -> UsersV1.EraseAccountResponse {
        let caller = try context.caller()
        let password = try request.parsed()
        let erasure = try await accounts.close(UserID(caller.userID), password: password)
        return UsersV1.EraseAccountResponse(erasure: .init(erasure))
    }

    func eraseUser(_ request: UsersV1.EraseUserRequest, context: RPCContext) async throws -> UsersV1.EraseUserResponse {
        let erasure = try await accounts.close(try request.parsed(), by: .operator_)
        return UsersV1.EraseUserResponse(erasure: .init(erasure))
    }

    func getErasure(
        _ request: UsersV1.GetErasureRequest, context: RPCContext
    ) async throws -> UsersV1.GetErasureResponse {
        guard let erasure = try await accounts.erasures.find(try request.parsed()) else { throw UsersError.erasureNotFound }
        return UsersV1.GetErasureResponse(erasure: .init(erasure))
    }

    func listNotifications(
        _ request: UsersV1.ListNotificationsRequest, context: RPCContext
    ) async throws -> UsersV1.ListNotificationsResponse {
        let caller = try context.caller()
        let list = try NotificationList(request)
        // One more than asked for tells whether there is a next page.
        let found = try await notifications.list(
            of: UserID(caller.userID), unreadOnly: list.unreadOnly, behind: list.place, limit: list.size + 1)
        return list.page(found)
    }

    func markNotificationRead(
        _ request: UsersV1.MarkNotificationReadRequest, context: RPCContext
    ) async throws -> UsersV1.MarkNotificationReadResponse {
        let caller = try context.caller()
        guard let read = try await notifications.markRead(try request.parsed(), of: UserID(caller.userID)) else {
            throw UsersError.notificationNotFound
        }
        return UsersV1.MarkNotificationReadResponse(notification: .init(read))
    }
}
