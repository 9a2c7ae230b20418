internal import ConnectionPool
internal import Dispatch
internal import Synchronization
internal import Time

extension Connection {
    func submit(_ submission: Submission, _ continuation: RunningExchange.Continuation) {
        let exchange = RunningExchange(submission: submission, continuation: continuation)
        if running == nil { start(exchange) } else { waiting.append(exchange) }
    }

    private func start(_ exchange: RunningExchange) {
        if case .closed(let reason) = phase {
            let outcome = ExchangeOutcome.lost(reason: reason, failure: nil, commitIsPossible: false)
            return answer(exchange, outcome, nil)
        }
        if exchange.submission.isCancelled.load(ordering: .acquiring) {
            return answer(exchange, .neverStarted, .taskCancelled)
        }
        running = exchange
        if configuration.pool.loanLimit != nil { lastStatement = exchange.submission.exchange.body.texts.last ?? lastStatement }
        usable.store(false, ordering: .releasing)
        watcher?.followCaller()
        do throws(ConnectionHandle.Rejected) {
            try send(exchange.submission.exchange)
            try flush()
        } catch {
            return lose()
        }
        setAlarm(for: exchange.submission.deadline + Connection.deadlineGrace)
    }

    // MARK: Sending

    private func send(_ exchange: Exchange) throws(ConnectionHandle.Rejected) {
        switch exchange.body {
        case .script(let sql):
            try handle?.sendScript(sql)
            return
        case .copy(let sql, let channel):
            if copy?.channel !== channel { copy = RunningCopy(channel: channel) }
            try handle?.sendScript(sql)
            return
        case .settling:
            // Not before a BEGIN: in one pipeline with it they would be the first commands of its transaction.
            if handle?.transactionStatus == .idle {
                try deallocate()
                try add("SELECT 1", as: .statement(0))
            } else {
                try add("ROLLBACK", as: .statement(0))
            }
        case .description(let query):
            let key = StatementCache.Key(sql: query.sql, types: query.parameters.types)
            // The unnamed statement, which the session forgets with the next.
            running?.commands.append(.prepare(key, .statement(0)))
            try handle?.prepare("", query.sql, types: query.parameters.types)
            running?.commands.append(.execute(key, .statement(0)))
            try handle?.describe("")
        case .statements(let queries):
            running?.commands.reserveCapacity(queries.count + 3)
            let isIdle = handle?.transactionStatus == .idle
            if isIdle, let begin = exchange.begin { try add(begin, as: .preparation) }
            if let settings = exchange.settings { try add(settings, as: .preparation) }
            for (index, query) in queries.enumerated() { try add(query, as: .statement(index)) }
            if exchange.commits {
                running?.commitWasSent = true
                try add(Connection.commit, as: .commit)
            }
        }
        try handle?.synchronise()
        let commandCount = running?.commands.count ?? 0
        running?.reader = PipelineReader(commandCount: commandCount)
    }

    private static let commit: Query = "COMMIT"

    /// Rids the server of statements that were given up.
    private func deallocate() throws(ConnectionHandle.Rejected) {
        for name in statements.discarded {
            try handle?.execute(text: "DEALLOCATE \(name)")
            running?.commands.append(.deallocate(name))
        }
    }

    private func add(_ query: Query, as step: Exchange.Step) throws(ConnectionHandle.Rejected) {
        let key = StatementCache.Key(sql: query.sql, types: query.parameters.types)
        guard configuration.preparesStatements else {
            running?.commands.append(.execute(key, step))
            try handle?.execute(unprepared: query.sql, query.parameters)
            return
        }
        let name: String
        switch statements.lookUp(key) {
        case .prepared(let known): name = known
        case .missing(let new):
            name = new
            running?.unconfirmed.insert(key)
            running?.commands.append(.prepare(key, step))
            try handle?.prepare(new, query.sql, types: query.parameters.types)
        }
        running?.commands.append(.execute(key, step))
        try handle?.execute(name, query.parameters)
    }

    private func flush() throws(ConnectionHandle.Rejected) {
        let isDone = try handle?.flush() ?? true
        watcher?.watchWrites(!isDone)
    }

    // MARK: Receiving

    func socketIsWritable() {
        confined {
            do throws(ConnectionHandle.Rejected) { try flush() } catch { return lose() }
            if isMovingCopy { copyWasFlushed() }
        }
    }

    func socketIsReadable() {
        confined {
            guard let isAlive = handle?.consumeInput() else { return }
            if isMovingCopy { receiveOfCopy() }
            receive()
            if !isAlive || handle?.isBroken == true { lose() }
        }
    }

    /// Takes the answers that have arrived.
    func receive() {
        // An exchange that has ended has no more answers; asking libpq then would give NULL for ever.
        while let exchange = running, exchange.outcome == nil, !isMovingCopy,
              let answer = handle?.nextAnswer(keepsResult: exchange.wantsNextResult) {
            switch answer {
            case .pending: return
            case .error(nil): return lose()
            case .error(let failure?) where failure.endsSession: return lose(failure: failure)
            case .unexpected(let status): return lose("The server answered with the unexpected status \(status).")
            default: if exchange.isScript { receiveOfScript(answer) } else { receiveOfPipeline(answer, exchange) }
            }
        }
        // Notices and changed parameters of an idle session are taken in as well.
        if running == nil {
            repeat { _ = handle?.nextAnswer(keepsResult: false) } while handle?.refill() == true
        }
        if let notificationHandler {
            while let notification = handle?.nextNotification() ?? nil { notificationHandler(notification) }
        }
    }

    private func receiveOfScript(_ answer: ConnectionHandle.Answer) {
        switch answer {
        case .done(let tag): running?.tag = tag
        case .error(let failure?): running?.failure = (failure, .statement(0))
        case .copy(let direction):
            if !copyBegan(direction) { lose("The server began a COPY that was not asked for.") }
        case .null: if handle?.resumePipelining() == true { end() } else { lose() }
        default: lose("The server's answer does not belong to a script.")
        }
    }

    private func receiveOfPipeline(_ answer: ConnectionHandle.Answer, _ exchange: RunningExchange) {
        let event: PipelineReader.Event = switch answer {
        case .success, .done: .success
        case .error: .error
        case .aborted: .aborted
        case .synchronisation: .synchronisation
        default: .null
        }
        switch exchange.reader.received(event) {
        case .none: break
        case .succeeded(let position): succeed(exchange, position, answer)
        case .failed(let position): if case .error(let failure?) = answer { fail(position, failure) }
        case .finished: end()
        case .violated: lose("The server's answers do not match what was sent.")
        }
    }

    private func succeed(_ exchange: RunningExchange, _ position: Int, _ answer: ConnectionHandle.Answer) {
        switch exchange.commands[position] {
        case .deallocate(let name): statements.deallocated(name)
        case .prepare(let key, _): exchange.unconfirmed.remove(key)
        case .execute:
            switch answer {
            case .success(let result):
                exchange.results.append(result)
                exchange.tag = result.tag
            case .done(let tag): exchange.tag = tag
            default: break
            }
        }
    }

    private func fail(_ position: Int, _ failure: ServerFailure) {
        switch running?.commands[position] {
        case .prepare(_, let step): running?.failure = (failure, step)
        case .execute(_, let step):
            running?.failure = (failure, step)
            if failure.isStalePlan { discardStatements() }
            if failure.isMissingStatement { statements.removeAll() }
        case .deallocate(let name):
            running?.failure = (failure, .preparation)
            if failure.isMissingStatement { statements.removeAll() } else { statements.deallocated(name) }
        case nil: break
        }
    }

    /// The server names the first statement that is out of date and passes over the rest, each of which may be so too. Prepared anew, none
    /// can be before the transaction ends: parsing takes the locks that a change of the tables has to wait for.
    private func discardStatements() {
        guard let running else { return }
        for case .execute(let key, .statement) in running.commands where !running.unconfirmed.contains(key) {
            statements.discard(key)
        }
    }

    // MARK: Ending

    /// All answers are there.
    private func end() {
        guard let exchange = running else { return }
        for key in exchange.unconfirmed { statements.remove(key) }
        let outcome: ExchangeOutcome = if let (failure, step) = exchange.failure {
            .failed(failure, at: step)
        } else {
            .completed(exchange.results, tag: exchange.tag)
        }
        if case .settling = exchange.submission.exchange.body, case .completed = outcome { needsSettling = false }
        if exchange.stopIsUnderWay { running?.outcome = outcome } else { finish(outcome) }
    }

    /// Hands the outcome over and begins what waits. Not before a request to stop has returned: the session could
    /// otherwise be in the middle of another statement when the request reaches it.
    func finish(_ outcome: ExchangeOutcome) {
        guard let exchange = running else { return }
        running = nil
        releaseCopy()
        let isReady = handle?.transactionStatus == .idle && !needsSettling
            && statements.discarded.isEmpty
        usable.store(isReady, ordering: .releasing)
        answer(exchange, outcome, exchange.stopReason)
        while running == nil, !waiting.isEmpty { start(waiting.removeFirst()) }
    }

    /// The session is over: closes it, answers who waits, and tells the pool.
    func lose(_ reason: String? = nil, failure: ServerFailure? = nil) {
        if case .closed = phase { return }
        let reason = reason ?? failure?.sentence ?? handle?.errorMessage ?? "The connection is closed."
        phase = .closed(reason: reason)
        usable.store(false, ordering: .releasing)
        watcher = nil
        connectingWatcher = nil
        handle = nil
        alarm?.cancel()
        alarm = nil
        releaseCopy()

        if let exchange = running {
            running = nil
            let outcome = exchange.outcome ?? .lost(
                reason: reason, failure: failure,
                commitIsPossible: exchange.commitWasSent && !exchange.provesNoCommit(failure)
            )
            answer(exchange, outcome, exchange.stopReason)
        }
        let rest = waiting
        waiting = []
        for exchange in rest { start(exchange) }
        breakHandler?()
        breakHandler = nil
    }
}

extension RunningExchange {
    /// Whether the answer that comes next is a statement's of the caller.
    fileprivate var wantsNextResult: Bool {
        guard commands.indices.contains(reader.position) else { return false }
        return if case .execute(_, .statement) = commands[reader.position] { true } else { false }
    }

    /// Whether the server's last word shows that it never came to the COMMIT.
    ///
    /// It works through a pipeline in order, and its answers arrive in order. So if the error that ended the session
    /// stands where the answer to an earlier command belongs, that command had not ended, and the COMMIT not begun.
    /// An ordinary error before it proves the same, since the server skips what follows.
    fileprivate func provesNoCommit(_ last: ServerFailure?) -> Bool {
        if failure != nil { return true }
        guard last?.endsSession == true, commands.indices.contains(reader.position) else { return false }
        if case .execute(_, .commit) = commands[reader.position] { return false }
        return true
    }
}
