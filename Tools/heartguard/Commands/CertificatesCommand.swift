internal import ArgumentParser

struct CertificatesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certificates",
        abstract: "Looks after the cluster's private authority and the certificates that it signs.",
        subcommands: [RotateCommand.self])

    struct RotateCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate",
            abstract: "Replaces the private authority and every certificate, of a running cluster without stopping it.",
            discussion: """
                First both authorities are trusted, then every certificate is signed by the new one, then the new one alone is
                trusted. Programs outside the cluster that trust ca.crt must read it again in between: --pause says for how
                long each step waits for them. Done again after an interruption it begins with another new authority, and
                nothing is lost.
                """)

        @OptionGroup var options: StateOptions

        @Option(help: "Seconds between the steps. The services need one.")
        var pause = 3

        func validate() throws {
            guard (1...86_400).contains(pause) else { throw ValidationError("--pause is from 1 to 86400 seconds.") }
        }

        func run() async throws {
            let directory = options.directory
            guard directory.exists else { throw CommandFailure("there is no cluster in \(directory.path).") }
            let lock = try directory.lock()
            let certificates = Certificates(directory: directory)
            let progress = Progress()
            progress.title("Certificates of \(directory.path)")

            try certificates.addAuthority()
            progress.step("authority", "a new one signs; both are trusted")
            try await Task.sleep(for: .seconds(pause))
            try certificates.renewAll()
            progress.step("certificates", "\(Certificates.names.count) were signed anew")
            try await Task.sleep(for: .seconds(pause))
            try certificates.trustNewestAlone()
            progress.step("authority", "the new one alone is trusted")
            extendLifetime(lock)
        }
    }
}
