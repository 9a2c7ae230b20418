internal import ArgumentParser

struct DownCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "down", abstract: "Stops the cluster: the Gateway first, then the services, then the stores. What it keeps stays.",
        discussion: "Waits for another command that is at work there, and for a while at most.")

    @OptionGroup var options: StateOptions

    func run() throws {
        let directory = options.directory
        guard directory.exists else { return print("Nothing runs in \(directory.path).") }
        let lock = try directory.lock(waiting: SupervisorHandle.patience)
        let stopped = try SupervisorHandle(directory: directory).stop()
        print(stopped ? "The cluster is stopped; its data stays in \(directory.path)." : "Nothing runs in \(directory.path).")
        extendLifetime(lock)
    }
}
