package import Logging
internal import NIOCore
internal import NIOPosix
internal import Synchronization
internal import Time

/// What is published on some channels of a Redis server, heard over a connection of its own.
///
/// Redis keeps nothing for those who are away: what is published between `lost` and `subscribed` is never heard, and whoever
/// keeps something by what it hears has to throw it away then.
package final class RedisSubscription: Sendable {
    package enum Event: Sendable {
        /// From here on everything on all channels is heard.
        case subscribed
        case message([UInt8])
        /// The connection is gone, or has been silent for too long. Said once for each `subscribed`.
        case lost
    }

    private let configuration: RedisConfiguration
    private let listening: Mutex<(channels: [String], connection: RedisConnection?)>
    private let logger: Logger
    private let onEvent: @Sendable (Event) -> Void
    /// A connection on which nothing is published is asked this often whether it still lives.
    private let heartbeat: Duration

    /// - Parameters:
    ///   - heartbeat: how often a sign of life is asked for; it is waited for as long.
    ///   - onEvent: called on whatever thread hears of it first, messages in their order; it must not block.
    package init(
        configuration: RedisConfiguration, channels: [String] = [], heartbeat: Duration = .seconds(1), logger: Logger,
        onEvent: @escaping @Sendable (Event) -> Void
    ) {
        var configuration = configuration
        configuration.commandTimeout = min(configuration.commandTimeout, heartbeat)
        self.configuration = configuration
        listening = Mutex((channels, nil))
        self.heartbeat = heartbeat
        self.logger = logger
        self.onEvent = onEvent
    }

    /// Hears of one more channel. While it runs, that is a loss and a new connection.
    package func add(_ channel: String) {
        let connection = listening.withLock { listening in
            listening.channels.append(channel)
            return listening.connection
        }
        connection?.channel.close(promise: nil)
    }

    /// Listens, and connects again whenever the connection is lost, until the task is cancelled. To be called once.
    package func run() async {
        var backoff = Backoff(configuration.reconnectDelay)
        var random = SystemRandomNumberGenerator()
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        while !Task.isCancelled {
            do throws(RedisError) {
                let connection = try await RedisConnection.open(configuration, on: eventLoop)
                try await subscribe(on: connection)
                backoff.reset()
                await listen(on: connection)
            } catch {
                logger.debug("not subscribed", metadata: ["reason": "\(error.message)"])
            }
            // Cancellation only ends the wait; the loop's condition ends the loop.
            try? await Task.sleep(for: backoff.next(using: &random))
        }
    }

    private var answerBy: NIODeadline { .now() + TimeAmount(configuration.commandTimeout) }

    private func subscribe(on connection: RedisConnection) async throws(RedisError) {
        let onEvent = onEvent
        // Who adds a channel from here on ends this connection.
        let channels = listening.withLock { listening in
            listening.connection = connection
            return listening.channels
        }
        guard !channels.isEmpty else { return }
        let answer = await connection.send(channels.map { ["SUBSCRIBE", $0] }, deadline: answerBy) { handler in
            handler.onMessage = { onEvent(.message($0)) }
        }
        do throws(RedisError) {
            for reply in try answer.get() {
                if case .error(let error) = reply { throw .server(error, command: "SUBSCRIBE") }
                guard reply.array?.first?.text == "subscribe" else { throw .unexpectedReply(to: "SUBSCRIBE") }
            }
        } catch {
            connection.channel.close(promise: nil)
            throw error
        }
    }

    /// Returns when the connection has ended. A message that came with the answer to SUBSCRIBE may be told before
    /// `subscribed`, which harms nobody: it is about what is not kept yet.
    private func listen(on connection: RedisConnection) async {
        onEvent(.subscribed)
        await withDiscardingTaskGroup { group in
            group.addTask { await self.watch(connection) }
            _ = await connection.ended { connection.channel.close(promise: nil) }
            group.cancelAll()
        }
        onEvent(.lost)
    }

    /// Asks for signs of life; the handler closes a connection that owes one for too long.
    private func watch(_ connection: RedisConnection) async {
        while !Task.isCancelled {
            guard (try? await Task.sleep(for: heartbeat)) != nil else { return }
            guard case .success = await connection.send([["PING"]], deadline: answerBy) else {
                connection.channel.close(promise: nil)
                return
            }
        }
    }
}
