internal import Logging
internal import NIOCore
internal import Synchronization
internal import Time

/// One connection's place: it holds the requests that come from any thread, and keeps a connection for them.
///
/// Requests gather in a mailbox, and the event loop is woken once for all that gathered; under load that makes one
/// write of hundreds of commands. While a first or lost connection is being made, requests wait for it; once an
/// attempt has failed they are refused at once, until one succeeds.
final class RedisLane: Sendable {
    private enum State {
        case connecting
        case ready(RedisConnection)
        case down(RedisError)
        case closed
    }

    private struct Mailbox {
        var state = State.connecting
        var requests: [RedisRequest] = []
        var isWakeUpScheduled = false
    }

    let eventLoop: any EventLoop
    private let configuration: RedisConfiguration
    private let logger: Logger
    /// For the requests of this lane.
    let outstanding: OutstandingCommands
    private let mailbox = Mutex(Mailbox())
    /// Whether there is a connection, as far as is known without asking the mailbox.
    private let hasConnection = Atomic<Bool>(false)

    init(_ configuration: RedisConfiguration, on eventLoop: any EventLoop, logger: Logger) {
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.logger = logger
        outstanding = OutstandingCommands(
            maxCommands: configuration.maxOutstandingCommands, maxBytes: configuration.maxOutstandingBytes)
    }

    var isReady: Bool { hasConnection.load(ordering: .relaxed) }

    // MARK: Requests

    func submit(_ request: RedisRequest) {
        enum Next { case wakeUp, nothing, waitForConnection, refuse(RedisError) }
        let next: Next = mailbox.withLock { mailbox in
            switch mailbox.state {
            case .closed: return .refuse(RedisError(.closed, "the client has been shut down."))
            case .down(let error): return .refuse(error)
            case .connecting, .ready: break
            }
            guard outstanding.add(request) else {
                return .refuse(RedisError(.overloaded, "too many commands are waiting for their replies."))
            }
            mailbox.requests.append(request)
            guard case .ready = mailbox.state else { return .waitForConnection }
            defer { mailbox.isWakeUpScheduled = true }
            return mailbox.isWakeUpScheduled ? .nothing : .wakeUp
        }
        switch next {
        case .wakeUp: eventLoop.execute { self.forward() }
        case .nothing: break
        case .waitForConnection: expireInTime(request)
        case .refuse(let error): request.fail(.notSent(request.name, cause: error))
        }
    }

    /// Hands what has gathered to the connection. On the event loop.
    private func forward() {
        let (connection, requests): (RedisConnection?, [RedisRequest]) = mailbox.withLock { mailbox in
            mailbox.isWakeUpScheduled = false
            // A connection that has just been lost takes nothing: the requests wait for the next one.
            guard case .ready(let connection) = mailbox.state, connection.handler.isOpen else { return (nil, []) }
            defer { mailbox.requests = [] }
            return (connection, mailbox.requests)
        }
        if !requests.isEmpty { connection?.handler.send(requests) }
    }

    /// A connection times what it has taken; what still waits for one needs a timer of its own.
    private func expireInTime(_ request: RedisRequest) {
        eventLoop.scheduleTask(deadline: request.deadline) { request.expire() }
    }

    /// Commands that have been handed to the connection and whose replies are owed.
    var inFlight: Int {
        mailbox.withLock { outstanding.commands - $0.requests.reduce(0) { $0 + $1.commandCount } }
    }

    // MARK: The connection

    /// Keeps a connection until cancelled.
    func run() async {
        var backoff = Backoff(configuration.reconnectDelay)
        var random = SystemRandomNumberGenerator()
        var lastFailure: RedisError.Code?
        while !Task.isCancelled {
            do throws(RedisError) {
                let connection = try await RedisConnection.open(configuration, on: eventLoop)
                backoff.reset()
                lastFailure = nil
                enter(.ready(connection))
                logger.info("connected to Redis", metadata: metadata)
                let reason = await connection.ended { self.enter(.closed) }
                guard !Task.isCancelled else { break }
                enter(.connecting)
                logger.warning("lost the connection to Redis", metadata: metadata(for: reason))
            } catch {
                enter(.down(error))
                // Once for each kind of failure: an outage of an hour is one line, not thousands.
                if lastFailure != error.code {
                    logger.error("\(error.message)", metadata: metadata(for: error.cause ?? error))
                }
                lastFailure = error.code
            }
            // Cancellation only ends the wait; the loop's condition ends the loop.
            try? await Task.sleep(for: backoff.next(using: &random))
        }
        enter(.closed)
    }

    /// Changes the state, and does for the waiting requests what the new one means.
    private func enter(_ state: State) {
        let waiting: [RedisRequest] = mailbox.withLock { mailbox in
            mailbox.state = state
            hasConnection.store(false, ordering: .relaxed)
            switch state {
            case .connecting:
                return mailbox.requests
            case .ready:
                hasConnection.store(true, ordering: .relaxed)
                mailbox.isWakeUpScheduled = true
                return []
            case .down, .closed:
                defer { mailbox.requests = [] }
                return mailbox.requests
            }
        }
        switch state {
        case .connecting: waiting.forEach(expireInTime)
        case .ready: eventLoop.execute { self.forward() }
        case .down(let error): refuse(waiting, because: error)
        case .closed: refuse(waiting, because: RedisError(.closed, "the client has been shut down."))
        }
    }

    private func refuse(_ requests: [RedisRequest], because error: RedisError) {
        for request in requests {
            request.fail(.notSent(request.name, cause: error))
            request.release()
        }
    }

    private var metadata: Logger.Metadata {
        [
            "redis.address": "\(configuration.host):\(configuration.port)",
            "redis.role": "\(configuration.role.rawValue)",
        ]
    }

    private func metadata(for reason: any Error) -> Logger.Metadata {
        metadata.merging(["reason": "\(reason)"]) { $1 }
    }
}
