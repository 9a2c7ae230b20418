/// Keeps the place in a pipeline's answers.
///
/// libpq gives, for each command of the pipeline in its order, the command's result and then a NULL; for the
/// synchronisation point at its end a result of its own; and one more NULL after that, without which the connection
/// would stay in the middle of the pipeline. After an error the rest up to that point is reported as aborted.
struct PipelineReader {
    enum Event: Equatable {
        case success
        case error
        case aborted
        case synchronisation
        case null
    }

    enum Action: Equatable {
        /// Nothing to do until the next event.
        case none
        /// The command at this position succeeded with the result at hand.
        case succeeded(Int)
        /// The command at this position failed; those after it will not run.
        case failed(Int)
        /// The pipeline is over, and the connection can take the next.
        case finished
        /// libpq gave what its manual does not promise; the connection cannot be trusted any more.
        case violated
    }

    private let commandCount: Int
    /// The command whose answer comes next.
    private(set) var position = 0
    private var hasFailed = false
    private var isSynchronised = false

    init(commandCount: Int) {
        self.commandCount = commandCount
    }

    mutating func received(_ event: Event) -> Action {
        switch event {
        case .null where isSynchronised: return .finished
        case .null:
            // A NULL without a result before it would count a command twice; libpq gives none.
            guard position < commandCount else { return .violated }
            position += 1
            return .none
        case .synchronisation:
            guard position == commandCount, !isSynchronised else { return .violated }
            isSynchronised = true
            return .none
        case .success:
            guard position < commandCount, !hasFailed else { return .violated }
            return .succeeded(position)
        case .error:
            // An error at the synchronisation point itself belongs to the last command.
            guard !hasFailed else { return .none }
            hasFailed = true
            return .failed(min(position, commandCount - 1))
        case .aborted:
            return hasFailed ? .none : .violated
        }
    }
}
