internal import Dispatch
internal import Time

extension Connection {
    /// Asks the server to stop the exchange, if that is what it is running.
    func stop(_ submission: Submission, because reason: StopReason) {
        guard let exchange = running, exchange.submission === submission, exchange.outcome == nil,
              exchange.stopReason == nil
        else { return }
        let giveUpAt = Deadline.after(Connection.stopLimit)
        running?.stopReason = reason
        running?.giveUpAt = giveUpAt
        needsSettling = true
        setAlarm(for: giveUpAt)
        stopCopy()
        requestStop()
    }

    private func requestStop() {
        guard let submission = running?.submission, let stopper else { return }
        running?.stopIsUnderWay = true
        running?.stopAgainAt = nil
        stopQueue.async {
            stopper.cancel()
            self.queue.async { self.confined { self.stopReturned(submission) } }
        }
    }

    private func stopReturned(_ submission: Submission) {
        guard running?.submission === submission else { return }
        running?.stopIsUnderWay = false
        if let outcome = running?.outcome { return finish(outcome) }
        let next = Deadline.after(Connection.stopInterval)
        running?.stopAgainAt = next
        setAlarm(for: next)
    }

    // MARK: The alarm

    /// Makes sure that `alarmRings` is called at that time or soon after. One timer serves all purposes and is moved
    /// only to an earlier time, so that a stream of short statements does not touch it at each.
    func setAlarm(for deadline: Deadline) {
        if let set = alarmIsSetFor, set <= deadline { return }
        alarmIsSetFor = deadline
        let timer: any DispatchSourceTimer
        if let alarm {
            timer = alarm
        } else {
            timer = DispatchSource.makeTimerSource(queue: queue)
            timer.setEventHandler { [weak self] in self?.confined { self?.alarmRings() } }
            timer.activate()
            alarm = timer
        }
        let delay = max(0, deadline.remaining.millisecondsRoundedUp)
        timer.schedule(deadline: .now() + .milliseconds(Int(delay)), leeway: .milliseconds(10))
    }

    private func alarmRings() {
        alarmIsSetFor = nil
        if let connectDeadline, connectDeadline.hasPassed {
            let limit = configuration.connectTimeout
            if let host = handle?.host { others = configuration.without(host: host.name, port: host.port) }
            failConnecting(PostgresError(
                .connectionFailed,
                "The server at \(configuration.address) did not answer within \(limit)."
            ))
        } else if let connectDeadline {
            setAlarm(for: connectDeadline)
        }

        guard let exchange = running, exchange.outcome == nil || exchange.stopIsUnderWay else { return }
        if let giveUpAt = exchange.giveUpAt {
            if giveUpAt.hasPassed {
                return lose("The server did not confirm within \(Connection.stopLimit) that it stopped a statement.")
            }
            if exchange.stopAgainAt?.hasPassed == true { requestStop() }
            if let again = running?.stopAgainAt { setAlarm(for: again) }
            setAlarm(for: giveUpAt)
        } else {
            let end = exchange.submission.deadline + Connection.deadlineGrace
            if end.hasPassed { stop(exchange.submission, because: .deadlinePassed) } else { setAlarm(for: end) }
        }
    }
}
