internal import ArgumentParser
internal import Foundation

struct InitSecretsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init-secrets",
        abstract: "Makes the passwords, keys and certificates of a cluster and starts nothing; compose.yaml mounts them.")

    @OptionGroup var options: StateOptions

    @Flag(help: "Let every user read the files, whose folder only their owner can enter: containers have users of their own.")
    var forContainers = false

    func run() throws {
        let directory = options.directory
        let lock = try directory.createLocked(mode: forContainers ? 0o700 : StateDirectory.passage)
        try Secrets(directory: directory).create()
        try Certificates(directory: directory).create()
        try TokenKeys(directory: directory).create()
        try Credentials.current(in: directory).save(in: directory)
        if forContainers { try openToContainers(directory) }
        print("The secrets are in \(directory.path).")
        extendLifetime(lock)
    }

    /// A container sees single files, mounted; on this machine the folder above them keeps everybody else out.
    private func openToContainers(_ directory: StateDirectory) throws {
        let files = FileManager.default
        // Not the authority's key, which no container has, nor what a kill has left of making another.
        let keys = Certificates.names.map { directory.tls("\($0).key") }
        let secrets = try files.contentsOfDirectory(atPath: directory.secret("")).filter { !$0.hasSuffix(".new") }.map(directory.secret)
        for file in keys + secrets {
            try files.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file)
        }
    }
}
