internal import Application
internal import Tokens

/// What the users service is told; every setting that is missing or unusable is reported together.
struct UsersConfiguration: Sendable {
    let common: ServiceConfiguration
    /// The P-256 key that access tokens are signed with, in PEM.
    let signingKey: String
    /// The account of whoever runs the system; `nil` when none is to be made.
    let operatorAccount: OperatorAccount?
    /// The other services that keep people's records, and where they are.
    let recordKeepers: [(name: String, host: String, port: Int)]
    /// Between the closing of an account and the removal of its records that counts.
    let erasureSettling: Duration
    /// How long a time with a provider is held that is not confirmed.
    let appointmentHold: Duration

    init(environment: [String: String]) throws {
        var settings = Settings(environment: environment)
        common = ServiceConfiguration(service: "users", from: &settings)
        signingKey = settings.contents(ofFile: "HEARTGUARD_TOKEN_SIGNING_KEY_FILE")
        operatorAccount = Self.operatorAccount(from: &settings)
        var keepers: [(name: String, host: String, port: Int)] = []
        for name in ["vitals", "chat", "vectors"] {
            let address = settings.address("HEARTGUARD_\(name.uppercased())_ADDRESS")
            keepers.append((name, address.host, address.port))
        }
        recordKeepers = keepers
        erasureSettling = .seconds(settings.int("HEARTGUARD_ERASURE_SETTLE_SECONDS", default: 1_200, in: 0...86_400))
        appointmentHold = .seconds(settings.int("HEARTGUARD_APPOINTMENT_HOLD_SECONDS", default: 300, in: 1...3_600))
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
        return OperatorAccount(email, password, reportingTo: &settings)
    }
}

extension OperatorAccount {
    /// `nil`, and a problem for each value that cannot be used, unless both can.
    fileprivate init?(_ email: String, _ password: String, reportingTo settings: inout Settings) {
        var address: EmailAddress?
        var secret: Password?
        do throws(InvalidValue) {
            address = try EmailAddress(email)
        } catch {
            settings.report(error.sentence(about: "HEARTGUARD_OPERATOR_EMAIL"))
        }
        do throws(InvalidValue) {
            secret = try Password(password)
        } catch {
            settings.report(error.sentence(about: "HEARTGUARD_OPERATOR_PASSWORD_FILE names a file whose password"))
        }
        guard let address, let secret else { return nil }
        self.init(email: address, password: secret)
    }
}
