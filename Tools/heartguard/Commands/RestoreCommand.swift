internal import ArgumentParser
internal import Foundation
internal import Passwords
internal import Time

extension RecordsCommand {
    struct RestoreCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "restore", abstract: "Brings a person back from a file of JSON Lines that they have exported, as the owner of the database.",
            discussion: """
                For a cluster that does not have the person. The file is read once and checked as a whole; then its rows are taken in, with their ids and \
                times, all or none: what is killed has changed nothing. Everything is counted by table, and so is what is left out, with the reason.

                An export tells no secret: the person has the password of --password-file from now on, sessions have ended, and devices that messages go to \
                register again. Nobody is let into the record until the person lets them in anew, and whoever was an operator or a clinician is a user.

                The database is found as `heartguard migrate` finds it. Ends with 0 where the records are there, with 1 where nothing has changed.
                """)

        @OptionGroup var options: StateOptions

        @Argument(help: "The file.")
        var file: String

        @Option(help: "A file with the password that the person is to have, 12 to 256 characters.")
        var passwordFile: String

        @Flag(help: "Do all of it and take it back again, to see what would become of the file.")
        var dryRun = false

        func run() async throws {
            let password = try PersonOptions.password(in: passwordFile)
            // As Users has it for whoever registers.
            guard (12...256).contains(password.unicodeScalars.count) else { throw CommandFailure("the password must have 12 to 256 characters.") }
            let restore = RecordsRestore(
                file: URL(filePath: file), passwordHash: try await Passwords(threads: 1).hash(password), isTrial: dryRun)
            let target = try MigrationTarget(environment: options.environment, directory: options.directory)
            let outcome = try await target.connected(as: "heartguard-restore") { try await restore.run($0) }

            let progress = Progress()
            progress.title("\(dryRun ? "would restore" : "restored") \(outcome.person.text)")
            for (table, count) in outcome.restored.sorted(by: { $0.table < $1.table }) { progress.line("  \(table): \(count.shown)") }
            if !outcome.leftOut.isEmpty { progress.title("left out") }
            for (table, count, reason) in outcome.leftOut { progress.line("  \(table): \(count.shown), \(reason)") }
            progress.title("Sessions have ended, nobody is let into the record, and the password is that of \(passwordFile), which the person should change.")
        }
    }
}
