internal import Application
internal import Tokens

/// What the users service is told; every setting that is missing or unusable is reported together.
struct UsersConfiguration: Sendable {
    let common: ServiceConfiguration
    /// The P-256 key that access tokens are signed with, in PEM.
    let signingKey: String
    /// The account of whoever runs the system; `nil` when none is to be made.
    let operatorAccount: OperatorAccount?

    init(environment: [String: String]) throws {
        var settings = Settings(environment: environment)
        common = ServiceConfiguration(service: "users", from: &settings)
        signingKey = settings.contents(ofFile: "HEARTGUARD_TOKEN_SIGNING_KEY_FILE")
        operatorAccount = Self.operatorAccount(from: &settings)
        try settings.finish()
    }

    private static func operatorAccount(from settings: inout Settings) -> OperatorAccount? {
        guard settings.optional("HEARTGUARD_OPERATOR_EMAIL") != nil
            || settings.optional("HEARTGUARD_OPERATOR_PASSWORD_FILE") != nil
        else { return nil }
        let email = settings.string("HEARTGUARD_OPERATOR_EMAIL")
        let password = settings.contents(ofFile: "HEARTGUARD_OPERATOR_PASSWORD_FILE")
        // What is missing has been noted already.
        guard !email.isEmpty, !password.isEmpty else { return nil }
        var account: OperatorAccount?
        do throws(InvalidValue) {
            let email = try EmailAddress(email)
            do throws(InvalidValue) {
                account = OperatorAccount(email: email, password: try Password(password))
            } catch {
                settings.report("HEARTGUARD_OPERATOR_PASSWORD_FILE names a file whose password \(error.reason).")
            }
        } catch {
            settings.report("HEARTGUARD_OPERATOR_EMAIL \(error.reason).")
        }
        return account
    }
}
