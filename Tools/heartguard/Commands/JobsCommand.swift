internal import ArgumentParser
internal import Foundation
internal import Jobs
internal import Logging
internal import Redis
internal import Time

struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "Tells what waits in a service's queue of jobs, and deals with dead letters.",
        discussion: """
            The durable Redis is that of the state folder, or, where HEARTGUARD_REDIS_DURABLE_HOST is set, the one that
            HEARTGUARD_REDIS_DURABLE_HOST, _PORT, _USERNAME and _PASSWORD_FILE name, through TLS where _CA_FILE or _TLS say so,
            as for the services.

            list shows each priority's jobs. dead shows the jobs that failed for the last time, replay puts some of them back in the
            queue with all their tries, and drop throws them away; both take the letters' ids, or --all.
            """)

    enum Action: String, ExpressibleByArgument, CaseIterable {
        case list, dead, replay, drop
    }

    @OptionGroup var options: StateOptions

    @Argument(help: "list, dead, replay or drop.")
    var action: Action

    @Argument(help: "With replay and drop: ids of dead letters.")
    var letters: [String] = []

    @Option(help: "The service whose jobs are meant.")
    var service = "vectors"

    @Flag(help: "With replay and drop: every dead letter of the service.")
    var all = false

    func validate() throws {
        let services = ServiceName.owners.map(\.rawValue)
        guard services.contains(service) else {
            throw ValidationError("There are no jobs of \"\(service)\"; there are those of \(services.joined(separator: ", ")).")
        }
        let isAboutLetters = action == .replay || action == .drop
        if isAboutLetters, letters.isEmpty != all { throw ValidationError("Name the letters, or say --all.") }
        if !isAboutLetters, !letters.isEmpty || all { throw ValidationError("Letters and --all belong to replay and drop.") }
    }

    func run() async throws {
        let redis = Redis(
            configuration: try DurableRedis(environment: options.environment, directory: options.directory).configuration,
            logger: Logger(label: "heartguard") { _ in SwiftLogNoOpLogHandler() })
        let connection = Task { await redis.run() }
        let result: Result<Void, any Error>
        do { result = .success(try await act(on: JobQueue(redis: redis, name: "arq:queue:\(service)"))) } catch { result = .failure(error) }
        connection.cancel()
        await connection.value
        try result.get()
    }

    private func act(on queue: JobQueue) async throws {
        switch action {
        case .list:
            let lines = try await queue.lines()
            for line in lines.lines {
                print("\(line.priority.rawValue)\t\(line.depth) jobs\t\(line.due) due\toldest \(Int(line.oldestAge / .seconds(1))) s")
            }
            print("dead\t\(lines.deadLetters) letters")
        case .dead:
            try await forEachLetter(of: queue) { letter in
                print("\(letter.id)\t\(letter.diedAt.rfc3339)\t\(letter.name ?? "?")\ttries \(letter.tries)\t\(letter.lastError)")
            }
        case .replay:
            for letter in try await chosen(of: queue) {
                try await queue.replay(letter)
                print("replayed \(letter)")
            }
        case .drop:
            for letter in try await chosen(of: queue) {
                guard try await queue.drop(letter) else { throw CommandFailure("there is no dead letter \(letter).") }
                print("dropped \(letter)")
            }
        }
    }

    private func chosen(of queue: JobQueue) async throws -> [String] {
        guard all else { return letters }
        var ids: [String] = []
        try await forEachLetter(of: queue) { ids.append($0.id) }
        return ids
    }

    /// A page at a time.
    private func forEachLetter(of queue: JobQueue, _ body: (DeadLetter) -> Void) async throws {
        var offset = 0
        while case let page = try await queue.deadLetters(offset: offset, limit: 500), !page.isEmpty {
            page.forEach(body)
            offset += page.count
        }
    }
}

/// The Redis in which jobs are: of a state folder, or as the environment has it.
struct DurableRedis {
    let configuration: RedisConfiguration

    init(environment: [String: String], directory: StateDirectory) throws {
        guard let host = environment.given("HEARTGUARD_REDIS_DURABLE_HOST") else {
            guard let ports = try directory.read(Ports.self, from: directory.ports) else {
                throw CommandFailure("no cluster was ever started in \(directory.path), and HEARTGUARD_REDIS_DURABLE_HOST is not set.")
            }
            configuration = RedisConfiguration(
                port: ports[.redisDurable], password: try Secrets(directory: directory)[RedisServer.Role.durable.secret], role: .durable)
            return
        }
        let password = try environment.given("HEARTGUARD_REDIS_DURABLE_PASSWORD_FILE")
            .map { _ in try environment.secret("HEARTGUARD_REDIS_DURABLE_PASSWORD_FILE") }
        let port = try Ports.port("HEARTGUARD_REDIS_DURABLE_PORT", in: environment, else: 6379)
        let authority = try environment.path(ofFile: "HEARTGUARD_REDIS_DURABLE_CA_FILE")
        guard let protection = RedisConfiguration.Protection(environment.given("HEARTGUARD_REDIS_DURABLE_TLS"), authority: authority) else {
            throw CommandFailure("HEARTGUARD_REDIS_DURABLE_TLS has to be on or, without HEARTGUARD_REDIS_DURABLE_CA_FILE, off.")
        }
        configuration = RedisConfiguration(
            host: host, port: port, username: environment.given("HEARTGUARD_REDIS_DURABLE_USERNAME"), password: password, role: .durable,
            tls: protection.tls)
    }
}
