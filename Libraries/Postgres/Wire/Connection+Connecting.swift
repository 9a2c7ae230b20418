internal import Dispatch
internal import Synchronization
internal import Time

extension Connection {
    /// Opens a session.
    ///
    /// libpq goes on to the next of several hosts when one refuses, and waits for ever for one that says nothing: in steps that do not block, its
    /// manual says, it passes over `connect_timeout` (34.1). So such a host is left out, and the others are tried anew.
    ///
    /// - Throws: `.connectionFailed` if no server can be reached, one refuses the role, or none answers within the
    ///   configuration's `connectTimeout`; `.queryCancelled` if the task is cancelled.
    static func open(_ configuration: PostgresConfiguration) async throws(PostgresError) -> Connection {
        var configuration = configuration
        while true {
            let connection = Connection(configuration: configuration)
            guard let failure = await connection.establish() else { return connection }
            var others: PostgresConfiguration?
            connection.confined { others = connection.others }
            if let others { configuration = others } else { throw failure }
        }
    }

    /// One attempt; the error it failed with.
    private func establish() async -> PostgresError? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                queue.async { self.confined { self.connect(continuation) } }
            }
        } onCancel: {
            queue.async { self.confined { self.failConnecting(Connection.cancelledAttempt) } }
        }
    }

    private static let cancelledAttempt = PostgresError(.queryCancelled, "The attempt to connect was cancelled.")

    private func connect(_ continuation: CheckedContinuation<PostgresError?, Never>) {
        // A task that was cancelled already has its attempt ended before it begins.
        guard case .connecting = phase else { return continuation.resume(returning: Connection.cancelledAttempt) }
        connecting = continuation
        let deadline = Deadline.after(configuration.connectTimeout)
        connectDeadline = deadline
        setAlarm(for: deadline)
        do throws(ConnectionHandle.Rejected) {
            handle = try ConnectionHandle(parameters: configuration.parameters)
        } catch {
            return failConnecting(PostgresError(.connectionFailed, "No memory was left for a connection."))
        }
        // The manual says to begin as if the last poll had asked to wait for writing.
        advanceConnecting(.waitsToWrite)
    }

    private func advanceConnecting(_ progress: ConnectionHandle.Progress) {
        guard handle?.isBroken == false else { return failConnecting() }
        switch progress {
        case .established: finishConnecting()
        case .failed: failConnecting()
        case .waitsToRead: watchOnce(forReading: true)
        case .waitsToWrite: watchOnce(forReading: false)
        }
    }

    /// Libpq may use another socket at each step, so each step watches anew.
    private func watchOnce(forReading: Bool) {
        let poll: @Sendable () -> Void = { [weak self] in
            self?.confined { self?.pollConnecting() }
        }
        guard let socket = handle?.socket ?? nil,
              let watcher = SocketWatcher(socket, on: queue, onReadable: poll, onWritable: poll)
        else { return failConnecting() }
        if forReading { watcher.watchReads(true) } else { watcher.watchWrites(true) }
        connectingWatcher = watcher
    }

    private func pollConnecting() {
        guard case .connecting = phase, let progress = handle?.poll() else { return }
        connectingWatcher = nil
        advanceConnecting(progress)
    }

    private func finishConnecting() {
        guard handle?.makeReady() == true, let socket = handle?.socket ?? nil,
              let watcher = LoopWatcher(
                  socket, on: .next,
                  onReadable: { [weak self] in self?.socketIsReadable() },
                  onWritable: { [weak self] in self?.socketIsWritable() }
              )
        else { return failConnecting() }
        watcher.watchReads(true)
        self.watcher = watcher
        stopper = handle?.cancelHandle() ?? nil
        // Reported since PostgreSQL 14; the limit travels with it.
        defaults.store(handle?.parameterStatus("default_transaction_read_only") == "on", ordering: .relaxed)
        phase = .open
        connectDeadline = nil
        usable.store(true, ordering: .releasing)
        connecting?.resume(returning: nil)
        connecting = nil
    }

    /// Ends an attempt to connect; does nothing if it has succeeded already.
    func failConnecting(_ error: PostgresError? = nil) {
        guard case .connecting = phase else { return }
        let text = handle?.errorMessage ?? ""
        let error = error ?? PostgresError(
            .connectionFailed,
            "No connection to database “\(configuration.database)” at \(configuration.address): "
                + (text.isEmpty ? "the socket could not be watched." : text)
        )
        phase = .closed(reason: error.message)
        connectingWatcher = nil
        handle = nil
        alarm?.cancel()
        alarm = nil
        connecting?.resume(returning: error)
        connecting = nil
    }
}
