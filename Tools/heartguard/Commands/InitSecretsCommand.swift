internal import ArgumentParser

struct InitSecretsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init-secrets",
        abstract: "Makes the passwords, keys and certificates of a cluster and starts nothing; compose.yaml mounts them.")

    @OptionGroup var options: StateOptions

    func run() throws {
        let directory = options.directory
        try directory.create()
        try Secrets(directory: directory).create()
        try Certificates(directory: directory).create()
        try TokenKeys(directory: directory).create()
        try Credentials.current(in: directory).save(in: directory)
        print("The secrets are in \(directory.path).")
    }
}
