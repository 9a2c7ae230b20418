internal import ArgumentParser
internal import Foundation

/// Which cluster a command is about.
struct StateOptions: ParsableArguments {
    @Option(help: "The cluster's state folder. Default: $HEARTGUARD_STATE, else .heartguard here.")
    var stateDir: String?

    func validate() throws {
        // As where a shell's variable is empty. What would be in the root of the file system is the machine's, and clean-state removes folders by their names.
        guard stateDir != "", !directory.path.isEmpty else { throw ValidationError("--state-dir, or HEARTGUARD_STATE, names no folder for a cluster.") }
    }

    var environment: [String: String] { ProcessInfo.processInfo.environment }

    var directory: StateDirectory {
        StateDirectory(stateDir ?? environment.given("HEARTGUARD_STATE") ?? ".heartguard")
    }

    /// A person's own cluster, in the usual place, has the usual ports.
    var isUsualPlace: Bool { directory.path.hasSuffix("/.heartguard") }
}
