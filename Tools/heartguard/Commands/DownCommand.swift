internal import ArgumentParser

struct DownCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "down", abstract: "Stops the cluster: the Gateway first, then the services, then the stores. What it keeps stays.")

    @OptionGroup var options: StateOptions

    func run() throws {
        let stopped = try SupervisorHandle(directory: options.directory).stop()
        print(stopped ? "The cluster is stopped; its data stays in \(options.directory.path)." : "Nothing runs in \(options.directory.path).")
    }
}
