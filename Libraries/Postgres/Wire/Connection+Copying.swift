internal import Synchronization

// COPY. It is not possible in pipeline mode (libpq's manual, 34.5), so it goes by the simple protocol, in a transaction
// that an exchange before it has begun.
extension Connection {
    // MARK: For the side with the data

    /// Hands over a chunk; returns when libpq has written it to the socket, so that no more than one chunk is ever
    /// buffered here. `false` if the COPY has ended: the exchange's outcome says how.
    func put(_ chunk: [UInt8], into channel: CopyChannel) async -> Bool {
        await withCheckedContinuation { continuation in
            confined {
                guard self.isRunning(channel), self.copy?.phase != .over else {
                    return continuation.resume(returning: false)
                }
                self.copy?.wish = .put(chunk, continuation)
                self.advanceCopy()
            }
        }
    }

    /// Ends the data; the exchange's outcome follows.
    func end(_ channel: CopyChannel, _ ending: RunningCopy.Ending) {
        confined {
            guard self.isRunning(channel) else { return }
            self.endCopy(ending)
        }
    }

    /// What has arrived of a COPY from the server; `nil` once it has ended. Between calls no more is read from the socket
    /// than libpq takes at once.
    func take(from channel: CopyChannel) async -> [UInt8]? {
        await withCheckedContinuation { continuation in
            confined {
                guard self.isRunning(channel), self.copy?.phase != .over else {
                    return continuation.resume(returning: nil)
                }
                self.copy?.wish = .take(continuation)
                self.watcher?.watchReads(true)
                self.advanceCopy()
            }
        }
    }

    /// Takes no more: the server is asked to stop, and what it still sends is dropped.
    func abandon(_ channel: CopyChannel) {
        confined {
            guard self.isRunning(channel) else { return }
            self.copy?.isUnwanted = true
            if self.isMovingCopy, let submission = self.running?.submission {
                self.stop(submission, because: .abandoned)
            }
        }
    }

    /// Moves nothing more through the channel, whether the COPY began or not.
    func close(_ channel: CopyChannel) {
        confined {
            channel.hasEnded.store(true, ordering: .releasing)
            if self.copy?.channel === channel { self.releaseCopy() }
        }
    }

    /// Whether the channel is in use; the first side to come takes it into use.
    private func isRunning(_ channel: CopyChannel) -> Bool {
        guard !channel.hasEnded.load(ordering: .acquiring) else { return false }
        if copy == nil { copy = RunningCopy(channel: channel) }
        return copy?.channel === channel
    }

    // MARK: For the exchange

    /// The exchange is over.
    func releaseCopy() {
        copy?.channel.hasEnded.store(true, ordering: .releasing)
        guard copy != nil else { return }
        copy?.release()
        copy = nil
        watcher?.watchReads(true)
    }

    /// The server has agreed to a COPY; `false` if it is not one that was asked for.
    func copyBegan(_ direction: CopyChannel.Direction) -> Bool {
        guard copy?.channel.direction == direction, copy?.phase == .asked else { return false }
        copy?.phase = .moving
        // A request to stop has no effect on a server that waits for data.
        if running?.stopReason != nil {
            stopCopy()
        } else if copy?.isUnwanted == true, let submission = running?.submission {
            stop(submission, because: .abandoned)
        } else {
            advanceCopy()
        }
        return true
    }

    /// Whether the socket's input is for `receiveOfCopy`, since no result can be had before the data has ended.
    var isMovingCopy: Bool { copy?.phase == .moving }

    /// The request to stop that a COPY understands: the end of what it waits for.
    func stopCopy() {
        guard let copy, copy.phase == .moving else { return }
        switch copy.channel.direction {
        case .toServer: endCopy(.failed("it was stopped by the client"))
        case .fromServer:
            self.copy?.release()
            self.copy?.phase = .moving
            watcher?.watchReads(true)
            advanceCopy()
        }
    }

    /// Input while data is moved.
    func receiveOfCopy() {
        if copy?.channel.direction == .toServer {
            // This client asks for errors alone (`client_min_messages`), so anything that the server says now is one. libpq
            // gives it only after the end of the data, which the server then ignores.
            endCopy(.failed("the server interrupted it"))
        } else {
            advanceCopy()
        }
    }

    /// Goes on after the socket has taken what libpq had.
    func copyWasFlushed() {
        if case .written(let continuation)? = copy?.wish {
            copy?.wish = nil
            continuation.resume(returning: true)
        }
        advanceCopy()
    }

    private func endCopy(_ ending: RunningCopy.Ending) {
        guard let phase = copy?.phase, phase != .over, copy?.ending == nil else { return }
        copy?.release()
        copy?.phase = phase
        copy?.ending = ending
        advanceCopy()
    }

    /// Does what can be done without waiting.
    private func advanceCopy() {
        guard isMovingCopy else { return }
        do throws(ConnectionHandle.Rejected) {
            if copy?.channel.direction == .toServer { try advanceSending() } else { try advanceTaking() }
        } catch {
            lose()
        }
    }

    private func advanceSending() throws(ConnectionHandle.Rejected) {
        if let ending = copy?.ending {
            let reason: String? = if case .failed(let reason) = ending { reason } else { nil }
            let isTaken = try handle?.endCopy(reason) ?? false
            if isTaken { copy?.phase = .over }
            try flushCopy()
        } else if case .put(let chunk, let continuation)? = copy?.wish {
            let isTaken = try handle?.putCopyData(chunk) ?? false
            if isTaken { copy?.wish = .written(continuation) }
            try flushCopy(mustWait: !isTaken)
        }
    }

    /// - Parameter mustWait: libpq took nothing, so only a socket that can be written to helps.
    private func flushCopy(mustWait: Bool = false) throws(ConnectionHandle.Rejected) {
        let isDone = try handle?.flush() ?? true
        watcher?.watchWrites(!isDone || mustWait)
        if isDone, case .written(let continuation)? = copy?.wish {
            copy?.wish = nil
            continuation.resume(returning: true)
        }
    }

    private func advanceTaking() throws(ConnectionHandle.Rejected) {
        let isUnwanted = running?.stopReason != nil
        guard isUnwanted || copy?.wish != nil else {
            // Nobody asks, so the server has to wait: its data stays in the socket.
            watcher?.watchReads(false)
            return
        }
        var chunk: [UInt8] = []
        taking: while isUnwanted || chunk.count < CopyFormat.chunkBytes {
            switch try handle?.takeCopyData(into: &chunk) ?? .ended {
            case .taken: if isUnwanted { chunk.removeAll(keepingCapacity: true) }
            case .pending: break taking
            case .ended:
                copy?.phase = .over
                break taking
            }
        }
        if !chunk.isEmpty, case .take(let continuation)? = copy?.wish {
            copy?.wish = nil
            continuation.resume(returning: chunk)
        }
        if copy?.phase == .over {
            watcher?.watchReads(true)
            // The answer may have come with the last of the data.
            receive()
        }
    }
}
