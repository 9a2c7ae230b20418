internal import Application
internal import Contracts
internal import RPC

/// Everything that can go wrong in this service beyond a malformed request and a store that is down.
enum UsersError: Error, Equatable {
    /// The address has an account.
    case addressTaken
    /// The account does not exist or the password is another; which of the two is not said.
    case wrongCredentials
    /// The refresh token was never given out, has expired, or its session has ended.
    case refreshTokenRefused
    /// The refresh token had been used before; its session has ended now.
    case refreshTokenReused
    /// The token is good, but its account is not there any more.
    case accountGone
    /// The profile changed since the caller read it.
    case profileChanged
    /// Consent of this kind was never given.
    case consentNeverGiven
    /// The password is longer than the hash takes once its characters are composed.
    case passwordTooLong
    /// Too many passwords were tried for an address, whether it has an account or not; for how long none is.
    case tooManyPasswords(wait: Duration)
    /// The account is an operator's, which the settings name and nobody closes.
    case operatorsAccount
    /// The account is an operator's, whose password stands in the settings.
    case operatorsPassword
    /// The account is an operator's, which the settings name and which has no other role.
    case operatorsRole
    /// There is no such erasure.
    case erasureNotFound
    /// Nothing with this id was sent to the person.
    case notificationNotFound
    /// The person has given no picture.
    case noAvatar
    /// As many passwords are being checked as the machine can, and as many wait.
    case passwordsBusy
}

extension UsersError: RPCErrorConvertible {
    var rpcError: RPCError {
        switch self {
        case .addressTaken: RPCError(.alreadyExists, "This e-mail address has an account already.")
        case .wrongCredentials: RPCError(.unauthenticated, "The e-mail address or the password is wrong.")
        case .refreshTokenRefused: RPCError(.unauthenticated, "The refresh token is not valid; sign in again.")
        case .refreshTokenReused:
            RPCError(.unauthenticated, "The refresh token was used before, so its session has ended; sign in again.")
        case .accountGone: RPCError(.notFound, "There is no such account.")
        case .profileChanged: RPCError(.aborted, "The profile changed since it was read; read it again.")
        case .consentNeverGiven: RPCError(.notFound, "Consent of this kind was never given.")
        case .passwordTooLong: .invalid([("password", "The field is too long.")])
        case .tooManyPasswords(let wait):
            .retry(.resourceExhausted, "Too many wrong passwords were tried for this address; try again later.", after: wait)
        case .operatorsPassword: RPCError(.failedPrecondition, "An operator's password stands in the settings and is changed there.")
        case .operatorsAccount: RPCError(.failedPrecondition, "An operator's account cannot be erased.")
        case .operatorsRole: RPCError(.failedPrecondition, "An operator's account has no other role.")
        case .erasureNotFound: RPCError(.notFound, "There is no such erasure.")
        case .notificationNotFound: RPCError(.notFound, "You have no notification with this id.")
        case .noAvatar: RPCError(.notFound, "You have given no picture of yourself.")
        case .passwordsBusy:
            .retry(.resourceExhausted, "Too many people are signing in at this moment; try again.", after: .seconds(1))
        }
    }
}
