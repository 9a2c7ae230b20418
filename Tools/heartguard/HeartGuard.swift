internal import ArgumentParser

/// The `heartguard` command: one cluster on one machine, from starting it to using it.
struct HeartGuard: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "heartguard",
        abstract: "Runs a HeartGuard cluster on this machine.",
        subcommands: [
            UpCommand.self, DownCommand.self, StatusCommand.self, LogsCommand.self, LoadCommand.self, MigrateCommand.self,
            HealthCommand.self, JobsCommand.self, VectorsCommand.self, RecordsCommand.self, RoleCommand.self, AuditCommand.self,
            ReceiptsCommand.self, InitSecretsCommand.self, CertificatesCommand.self, CleanStateCommand.self,
        ])
}
