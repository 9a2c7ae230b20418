internal import ArgumentParser
internal import Foundation

struct UpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Starts the cluster and waits until every service reports SERVING; loads the sample data and shows what is done for one patient.",
        discussion: """
            Done on a running cluster it starts what is missing, replaces what was built anew, and loads nothing twice.
            Ports are set by HEARTGUARD_GATEWAY_PORT (gRPC), HEARTGUARD_JSON_PORT, HEARTGUARD_USERS_PORT, …_VITALS_…,
            …_CHAT_…, …_VECTORS_…, …_POSTGRES_…, …_REDIS_DURABLE_… and …_REDIS_CACHE_PORT; else free ones are chosen and kept.
            """)

    @OptionGroup var options: StateOptions
    @OptionGroup var samples: SampleOptions

    @Option(help: "Where the services' executables are. Default: where this one is.")
    var binPath: String?

    @Flag(inversion: .prefixedNo, help: "Load the sample data and show what is done for one patient.")
    var load = true

    @Flag(help: "Start Postgres and Redis and apply the migrations, but start no service.")
    var storesOnly = false

    func run() async throws {
        let directory = options.directory
        let lock = try directory.createLocked()
        let progress = Progress()
        progress.title("HeartGuard cluster in \(directory.path)")
        let starter = try ClusterStarter(
            directory: directory, binaries: binPath.map { URL(filePath: $0).path } ?? Self.ownFolder(),
            environment: options.environment, prefersKnownPorts: options.isUsualPlace, progress: progress)
        try await starter.start(storesOnly: storesOnly)
        if storesOnly {
            extendLifetime(lock)
            return
        }
        if load { try await SampleLoader(stores: options, samples: samples.locations, progress: progress).run() }
        try Endpoints(directory: directory, progress: progress).show()
        extendLifetime(lock)
    }

    private static func ownFolder() throws -> String {
        let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(filePath: executable).deletingLastPathComponent().path
    }
}
