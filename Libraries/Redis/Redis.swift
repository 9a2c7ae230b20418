package import Logging
internal import NIOCore
internal import Time

/// A client of one Redis server: any number of tasks share its few connections, and every command that waits goes out
/// with the next write (pipelining), so nobody waits for somebody else's reply. A task that runs on an event loop uses
/// the connection of that loop, so that neither its command nor the reply changes threads.
///
/// `run` keeps the connections; without it nothing is sent. A reply is waited for until the command timeout or
/// `Deadline.current`, whichever is earlier. When a connection dies, the commands that it owed replies for fail with
/// `.outcomeUnknown`: nothing is sent twice on its own. While Redis is down, commands fail at once.
///
/// Commands that hold or change a connection (subscriptions, blocking reads, `MULTI`) are refused here.
package final class Redis: Sendable {
    private let configuration: RedisConfiguration
    private let lanes: RedisLanes

    package init(configuration: RedisConfiguration, logger: Logger) {
        self.configuration = configuration
        lanes = RedisLanes(configuration, logger: logger)
    }

    package var role: RedisConfiguration.Role { configuration.role }

    /// How many commands have been sent and not been answered yet: the depth of the pipeline, for monitoring.
    package var inFlight: Int { lanes.all.reduce(0) { $0 + $1.inFlight } }

    /// Connects, and connects again whenever a connection is lost, until the task is cancelled; then lets the replies
    /// that are owed come in, within their timeouts, and returns. To be called once.
    package func run() async {
        await withDiscardingTaskGroup { group in
            for lane in lanes.all { group.addTask { await lane.run() } }
        }
    }

    /// Sends a command and waits for its reply. An error reply is thrown as `.server`.
    @discardableResult
    nonisolated(nonsending) package func send(_ command: RedisCommand) async throws(RedisError) -> RESPValue {
        guard command.canShareConnection else {
            throw RedisError(.invalidCommand, "\(command.name) needs a connection of its own.")
        }
        let replies = try await submit([command]).answer().get()
        // A request is settled with as many replies as it has commands.
        if case .error(let error) = replies[0] { throw .server(error, command: command.name) }
        return replies[0]
    }

    /// Sends commands in one write, and waits for all replies, in their order. Other tasks' commands may run between
    /// them. An error reply is in its place as `.error`.
    nonisolated(nonsending) package func send(_ commands: [RedisCommand]) async throws(RedisError) -> [RESPValue] {
        if let command = commands.first(where: { !$0.canShareConnection }) {
            throw RedisError(.invalidCommand, "\(command.name) needs a connection of its own.")
        }
        return commands.isEmpty ? [] : try await submit(commands).answer().get()
    }

    /// Runs commands as one unit, with nobody else's in between (`MULTI` … `EXEC`, in one write). If Redis refuses to
    /// queue one of them, none is run and its error is thrown; one that fails when run does not stop the others, and
    /// its error is in its place.
    package func transaction(_ commands: [RedisCommand]) async throws(RedisError) -> [RESPValue] {
        if let command = commands.first(where: { !$0.canShareConnection }) {
            throw RedisError(.invalidCommand, "\(command.name) cannot be part of a transaction.")
        }
        guard !commands.isEmpty else { return [] }
        let replies = try await submit([["MULTI"]] + commands + [["EXEC"]]).answer().get()
        if case .error(let error) = replies[0] {
            // Without MULTI, what followed was run command by command.
            throw RedisError(
                .server(error.code), "Redis refused MULTI: \(error.message)", mayHaveRun: true, cause: error)
        }
        for (reply, command) in zip(replies.dropFirst(), commands) {
            if case .error(let error) = reply { throw .server(error, command: command.name) }
        }
        switch replies[replies.count - 1] {
        case .array(let values): return values
        case .error(let error): throw .server(error, command: "EXEC")
        default: throw .unexpectedReply(to: "EXEC")
        }
    }

    // Each of these would be a look-up of the task's executor at its beginning and another at its end, were it asynchronous.

    func submit(_ commands: [RedisCommand], isCancellable: Bool = true) throws(RedisError) -> RedisRequest {
        guard !commands.contains(where: \.isEmpty) else {
            throw RedisError(.invalidCommand, "A command needs a name.")
        }
        return try submit({ commands[0].name }, isCancellable) { RedisRequest(commands, deadline: $0, countedBy: $1) }
    }

    /// Has a share of a script's run answered; an error of Redis is in the answer's place.
    func submit(_ share: ScriptShare, isCancellable: Bool = true) throws(RedisError) -> RedisRequest {
        try submit({ "EVALSHA" }, isCancellable) { RedisRequest(share, deadline: $0, countedBy: $1) }
    }

    private func submit(
        _ name: () -> String, _ isCancellable: Bool, _ request: (NIODeadline, OutstandingCommands) -> RedisRequest
    ) throws(RedisError) -> RedisRequest {
        var timeout = configuration.commandTimeout
        if let deadline = Deadline.current { timeout = min(timeout, deadline.remaining) }
        guard timeout > .zero else { throw .timeout(name(), wasSent: false) }
        guard !isCancellable || !Task.isCancelled else { throw .cancelled(name(), wasSent: false) }

        let lane = lanes.next
        let request = request(.now() + TimeAmount(timeout), lane.outstanding)
        guard request.byteCount <= configuration.maxOutstandingBytes,
            request.commandCount <= configuration.maxOutstandingCommands
        else { throw RedisError(.invalidCommand, "\(name()) is larger than this client may send at once.") }
        lane.submit(request)
        return request
    }
}
