internal import ArgumentParser

struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Loads the sample data into the running cluster through its Gateway and shows what is done for one patient; nothing is made twice.")

    @OptionGroup var options: StateOptions
    @OptionGroup var samples: SampleOptions

    func run() async throws {
        let directory = options.directory
        _ = try directory.portsOfRunning()
        // Two at once would each make passwords for the same people.
        let lock = try directory.lock()
        try await SampleLoader(stores: options, samples: samples.locations, progress: Progress()).run()
        extendLifetime(lock)
    }
}
