internal import Application
internal import Logging
internal import Passwords
internal import Synchronization
internal import Time
internal import Tokens

/// The account of whoever runs the system, as the settings name it.
struct OperatorAccount: Sendable {
    let email: EmailAddress
    let password: Password
}

/// Opens the operator's account once the database can hold it. Running it again changes nothing, in any replica.
final class OperatorBootstrap: Sendable {
    private let account: OperatorAccount
    private let users: UserRepository
    private let sessions: Sessions
    private let profiles: Profiles
    private let passwords: Passwords
    private let logger: Logger
    private let isDone = Atomic(false)

    init(
        _ account: OperatorAccount, users: UserRepository, sessions: Sessions, profiles: Profiles, passwords: Passwords, logger: Logger
    ) {
        self.account = account
        self.users = users
        self.sessions = sessions
        self.profiles = profiles
        self.passwords = passwords
        self.logger = logger
    }

    /// Holds once the account is there; each time it is asked before, it tries.
    var readiness: ReadinessCheck {
        ReadinessCheck("operator account") { [self] in
            guard !isDone.load(ordering: .acquiring) else { return nil }
            do {
                try await run()
                isDone.store(true, ordering: .releasing)
                return nil
            } catch let problem as OperatorProblem {
                return problem.sentence
            } catch {
                return "The operator's account could not be opened: \(error)"
            }
        }
    }

    /// Opens the account, and says who else is an operator.
    ///
    /// Throws as `open` does.
    func run() async throws {
        try await open()
        await tellOfOthers()
    }

    /// An address that the settings named before has an operator's account still. It may be somebody's who is one, so it is left as it is, and said
    /// at each start.
    private func tellOfOthers() async {
        do {
            let others = try await users.operators(besides: account.email)
            guard !others.isEmpty else { return }
            logger.warning(
                "accounts that the settings do not name are operators'",
                metadata: ["accounts": "\(others.map(\.uuid.text).joined(separator: " "))"])
        } catch {
            // The operator's own account is there, and nobody waits for this.
            logger.warning("nobody knows whether others are operators", metadata: ["reason": "\(error)"])
        }
    }

    /// Opens the account unless it is there, and gives it the password of the settings if it has another, which ends every session of it.
    ///
    /// Throws `OperatorProblem.addressTaken` when the address is a user's: nobody becomes an operator by registering
    /// the right address first.
    private func open() async throws {
        if let existing = try await users.credentials(of: account.email) {
            guard existing.user.role == .operator_ else { throw OperatorProblem.addressTaken }
            guard try await !passwords.verify(account.password.text, against: existing.passwordHash) else { return }
            let hash = try await passwords.hash(account.password.text)
            let isReplaced = try await profiles.changing(existing.user.id) {
                try await sessions.replacePassword(of: existing.user.id, existing.passwordHash, with: hash)
            }
            // Another replica may have been faster here too.
            guard isReplaced else { return try await open() }
            logger.notice("the operator's password was replaced by the one of the settings")
            return
        }
        let hash = try await passwords.hash(account.password.text)
        let isNew = try await users.insertOperator(
            email: account.email, name: PersonName(stored: "Operator"), passwordHash: hash)
        // Another replica may have been faster; what it opened is checked like any account that was there.
        guard isNew else { return try await open() }
        logger.notice("the operator's account was opened")
    }
}

/// Why there can be no operator account under the address of the settings.
enum OperatorProblem: Error {
    case addressTaken

    var sentence: String {
        "HEARTGUARD_OPERATOR_EMAIL names an address that belongs to a user's account. Choose another."
    }
}
