internal import ArgumentParser

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Applies, checks or takes back the chain of schema revisions, with the owner's role.",
        discussion: """
            The database is that of the state folder, or, where HEARTGUARD_POSTGRES_HOST is set, the one that
            HEARTGUARD_POSTGRES_HOST, _PORT, _DATABASE, _USER and _PASSWORD_FILE name, through TLS where _CA_FILE or _SSLMODE
            say so, with a certificate where _CERT_FILE and _KEY_FILE are set, as for the services.

            up applies what is missing; any number of them may run at once, and one that was killed is run again. verify also
            finds what was changed by hand. down takes back the newest revision, or all behind the one that --to names, and
            what those tables held with it.
            """)

    enum Action: String, ExpressibleByArgument, CaseIterable {
        case status, up, down, verify
    }

    @OptionGroup var options: StateOptions

    @Argument(help: "status, up, down or verify.")
    var action: Action

    @Option(name: .customLong("to"), help: "With down: the revision that stays, with all before it.")
    var survivor: String?

    @Flag(help: "With down: what the revisions' tables hold is lost, and that is wanted.")
    var discardData = false

    @Flag(help: "First make the roles and the database, with the superuser's password (HEARTGUARD_POSTGRES_SUPERUSER_PASSWORD_FILE).")
    var bootstrap = false

    func validate() throws {
        if action == .down, !discardData {
            throw ValidationError("down drops tables with what is in them. Say --discard-data if that is wanted.")
        }
        if action != .down, survivor != nil || discardData {
            throw ValidationError("--to and --discard-data belong to down.")
        }
    }

    func run() async throws {
        let target = try MigrationTarget(environment: options.environment, directory: options.directory)
        if bootstrap { try target.bootstrap().run() }
        let migration = SchemaMigration(configuration: target.configuration(as: "heartguard-migrate"))
        switch action {
        case .status: for line in try await migration.status() { print(line) }
        case .up: print("The schema \(try await migration.up()).")
        case .down: print("The schema \(try await migration.down(to: survivor)).")
        case .verify: print(try await migration.verify())
        }
    }
}
