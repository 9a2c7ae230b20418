/// What a session does in one round trip.
struct Exchange: Sendable {
    enum Body: Sendable {
        case statements([Query])
        /// Several statements as one text by the simple protocol; no parameters, no results.
        case script(String)
        /// A COPY, whose data goes through the channel.
        case copy(String, CopyChannel)
        /// Parses a statement without running it. Its result has columns and no rows.
        case description(Query)
        /// Ends whatever transaction is open and shows that the session answers.
        case settling
    }

    /// A place in the exchange, in the order in which the server works.
    enum Step: Sendable, Hashable {
        case preparation
        case statement(Int)
        case commit
    }

    /// Sent first, but only if no transaction is open: BEGIN.
    var begin: Query?
    /// Sent before the statements: identity and timeout.
    var settings: Query?
    var body: Body = .statements([])
    /// Sent last: COMMIT.
    var commits = false
}

/// How an exchange ended.
enum ExchangeOutcome: Sendable {
    /// Everything ran. The results are those of the statements; the tag is the last command's.
    case completed([ResultHandle], tag: String)
    /// The server refused a step; nothing after it ran.
    case failed(ServerFailure, at: Exchange.Step)
    /// The connection is gone. `failure` is what the server said before it closed it; `commitIsPossible` if a COMMIT
    /// had been handed to libpq whose answer did not come, and nothing proves that it was not reached.
    case lost(reason: String, failure: ServerFailure?, commitIsPossible: Bool)
    /// The task had been cancelled before anything was sent.
    case neverStarted
}

/// Why this client asked the server to stop a statement.
enum StopReason: Sendable {
    case taskCancelled, deadlinePassed
    /// Who reads a COPY wants no more of it.
    case abandoned
}
