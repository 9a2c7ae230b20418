internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

extension CheckpointStore {
    /// A number that no other thread of the person has; the table's key says so should that ever be untrue.
    static func newNumber() -> Int64 { Int64.random(in: 1...Int64.max) }

    /// Keeps a checkpoint. The channels whose values it does not bring and its parent does not have; nothing is kept then.
    func put(_ checkpoint: NewCheckpoint, of user: UUID) async throws -> [String] {
        for attempt in 1...Self.attempts {
            // Bytes that cannot be read are no reason to keep nothing from now on: the last attempt does without them.
            switch try await putOnce(checkpoint, withBases: attempt < Self.attempts, of: user) {
            case .missing(let channels): return channels
            case .kept(let segments, let thread, let folded):
                try await CurrentTask.afterCommit { [hot] in
                    await hot.keep(segments, of: thread, user)
                    await hot.forget(folded, of: thread, user)
                }
                return []
            case .changedMeanwhile: continue
            }
        }
        throw CheckpointError.tooBusy
    }

    private enum Outcome {
        case missing([String])
        case kept([Segment], thread: Int64, folded: [SegmentHead])
        case changedMeanwhile
    }

    /// A channel's value on its way into a record.
    private enum Source {
        case draft(StreamDraft.Value)
        case kept(StoredValue?)
    }

    private func putOnce(_ checkpoint: NewCheckpoint, withBases: Bool, of user: UUID) async throws -> Outcome {
        let parentKey = CheckpointKey(namespace: checkpoint.key.namespace, id: checkpoint.parent ?? checkpoint.key.id)
        let (threadResult, ownResult, parentResult) = try await postgres.batch(
            .thread(checkpoint.thread, of: user), .checkpoint(checkpoint.key, of: checkpoint.thread, user),
            .checkpoint(parentKey, of: checkpoint.thread, user), identity: .user(user))
        let thread = try threadResult.first()
        let own = try ownResult.first()
        let parent = checkpoint.parent == nil ? nil : try parentResult.first()

        var bytes = StreamBytes([])
        if let thread { bytes = try await reader.bytes(of: [own, parent].compactMap(\.?.record), in: thread.number, of: user) }
        guard let ownRecord = Self.record(own, in: bytes), let parentRecord = Self.record(parent, in: bytes) else {
            return .changedMeanwhile
        }
        if let own, let ownRecord, Self.says(ownRecord, checkpoint) {
            // The same call again, whose metadata may say more.
            let renewed = try await postgres.execute(.renew(checkpoint, in: own.thread, of: user), identity: .user(user))
            return renewed == 1 ? .kept([], thread: own.thread, folded: []) : .changedMeanwhile
        }

        let missing = checkpoint.channels.filter {
            $0.value == .kept && parentRecord?.channel($0.name, version: $0.version) == nil
                && ownRecord?.channel($0.name, version: $0.version) == nil
        }
        guard missing.isEmpty else { return .missing(missing.map(\.name)) }

        // Large values are told as what they have in common with the ones before.
        var bases: [ExactText: StoredValue] = [:]
        for case (let name, .new(let value)) in checkpoint.channels.map({ (ExactText($0.name), $0.value) })
        where withBases && value.data.count >= StreamDraft.largeBytes {
            bases[name] = parentRecord?.channels.first {
                ExactText($0.name) == name && ($0.value?.byteCount ?? 0) >= StreamDraft.largeBytes
            }?.value
        }
        var baseBytes = StreamBytes([])
        if let thread, !bases.isEmpty {
            baseBytes = try await reader.bytes(of: bases.values.flatMap(\.pieces.ranges), in: thread.number, of: user)
        }
        var draft = StreamDraft()
        var sources: [(channel: NewCheckpoint.Channel, source: Source)] = []
        for channel in checkpoint.channels {
            switch channel.value {
            case .new(let value):
                var base: (StoredValue, [UInt8])?
                if let stored = bases[ExactText(channel.name)] {
                    guard let bytes = baseBytes.value(stored) else { return .changedMeanwhile }
                    base = (stored, bytes.data)
                }
                sources.append((channel, .draft(draft.add(value, base: base))))
            case .empty: sources.append((channel, .kept(nil)))
            case .kept:
                let kept = parentRecord?.channel(channel.name, version: channel.version)
                    ?? ownRecord?.channel(channel.name, version: channel.version)
                sources.append((channel, .kept(kept?.value)))
            }
        }
        let (planned, origins) = (draft, sources)
        let grandparent = parent?.parent
        return try await postgres.transaction(identity: .user(user), tier: .normal) { transaction in
            try await commit(
                checkpoint, draft: planned, sources: origins, seen: thread, grandparent: grandparent, of: user, in: transaction)
        }
    }

    private func commit(
        _ checkpoint: NewCheckpoint, draft: StreamDraft, sources: [(channel: NewCheckpoint.Channel, source: Source)],
        seen: CheckpointThread?, grandparent: UUID?, of user: UUID, in transaction: Transaction
    ) async throws -> Outcome {
        guard let thread = try await transaction.first(.use(checkpoint.thread, number: Self.newNumber(), of: user)) else {
            throw PostgresError(.decoding, "A thread that is there could not be read.")
        }
        // What was seen of no thread needs nothing of it.
        if let seen, seen != thread { return .changedMeanwhile }

        let known = draft.additions.keys.compactMap { if case .stream(let stream) = $0 { stream } else { nil } }
        let earlier = [checkpoint.parent, grandparent].compactMap { $0 }
            .map { CheckpointKey(namespace: checkpoint.key.namespace, id: $0) }
        let (ends, last, written) = try await transaction.batch(
            .ends(of: Array(Set(known + [0])), in: thread.number, user), .lastStream(of: thread.number, user),
            .writes(behind: earlier, of: thread.number, user))
        let places = StreamPlaces(
            ends: Dictionary(uniqueKeysWithValues: try ends.rows().map { ($0.stream, $0.position) }),
            firstNewStream: (try last.first()?.value ?? 0) + 1)

        let channels = sources.map { channel, source in
            let value: StoredValue? = switch source {
            case .draft(let value): places.placed(value)
            case .kept(let value): value
            }
            return CheckpointRecord.Channel(name: channel.name, version: channel.version, value: value)
        }
        let stateBytes = channels.reduce(0) { $0 + ($1.value?.byteCount ?? 0) }
        guard stateBytes <= NewCheckpoint.maxStateBytes else { throw CheckpointError.stateTooLarge(stateBytes) }

        var additions: [Int32: [UInt8]] = [:]
        for (target, bytes) in draft.additions { additions[places.stream(target)] = bytes }
        let record = CheckpointRecord(content: checkpoint.content, channels: channels).bytes
        let recordRange = StreamRange(
            stream: 0, position: places.end(0) + Int64(additions[0]?.count ?? 0), count: record.count)
        additions[0, default: []] += record

        let segments = additions.flatMap { stream, bytes in
            Segment.segments(of: bytes, stream: stream, position: places.end(stream))
        }
        _ = try await transaction.batch(
            .insert(segments, to: thread.number, of: user), .put(checkpoint, record: recordRange, to: thread.number, of: user))

        let settled = try Self.settled(try written.rows(), by: checkpoint, channels)
        if !settled.isEmpty { try await transaction.execute(.put(settled, to: thread.number, of: user)) }

        var (kept, folded) = (segments, [SegmentHead]())
        for (stream, bytes) in additions {
            let end = places.end(stream)
            let fold = try await fold(stream, from: end, to: end + Int64(bytes.count), of: thread.number, user, in: transaction)
            kept += fold.made
            folded += fold.taken
        }
        let gone = Set(folded)
        return .kept(kept.filter { !gone.contains($0.head) }, thread: thread.number, folded: folded)
    }

    /// Makes one segment of the many small ones at a stream's end, whenever so many bytes have come that it is worth it: each byte is
    /// written twice, and a stream is read in few rows and packed well.
    private func fold(
        _ stream: Int32, from start: Int64, to end: Int64, of thread: Int64, _ user: UUID, in transaction: Transaction
    ) async throws -> (made: [Segment], taken: [SegmentHead]) {
        let size: Int64 = stream == 0 ? 1 << 14 : 1 << 16
        guard start / size < end / size else { return ([], []) }
        let small = try await transaction.rows(.segments(of: stream, from: start / size * size, in: thread, user))
        guard small.count > 1, let first = small.first?.head.position else { return ([], []) }
        var bytes: [UInt8] = []
        for segment in small {
            // Where ranges were freed there is a gap, which stays one.
            guard segment.head.position == first + Int64(bytes.count) else { return ([], []) }
            guard let plain = segment.bytes else { throw CheckpointError.damaged }
            bytes += plain
        }
        let folded = Segment.segments(of: bytes, stream: stream, position: first)
        guard folded.count < small.count else { return ([], []) }
        try await transaction.execute(.delete(small.map(\.head), of: thread, user))
        try await transaction.execute(.insert(folded, to: thread, of: user))
        return (folded, small.map(\.head))
    }

    /// How many bytes settling looks at: all that was written, and, for each write, what it is looked for in. It happens under the thread's lock, and
    /// others may have written any number of things.
    static let mostSettledBytes = 32 << 20

    /// What tasks wrote behind a checkpoint is, for the most part, in the values of the one that came of it: from then on it is told as ranges of
    /// those. The rows that change; what is not looked at stays as it is.
    static func settled(
        _ rows: [WritesRow], by checkpoint: NewCheckpoint, _ channels: [CheckpointRecord.Channel], looking most: Int = Self.mostSettledBytes
    ) throws -> [WritesRow] {
        /// A write is looked for in as many of a value's last bytes.
        let window = 1 << 16
        var left = most
        var changed: [WritesRow] = []
        for row in rows where left > 0 {
            var writes = try Self.reading { () throws(UnreadableBytes) in try TaskWrites(row.content) }
            left -= writes.writes.reduce(0) { $0 + $1.value.inlineBytes }
            var isSettled = false
            for (place, write) in writes.writes.enumerated() where left > 0 && write.value.inlineBytes >= 64 {
                let channel = ExactText(write.channel)
                guard case .inline(let bytes)? = write.value.pieces.first, write.value.pieces.count == 1,
                    let stored = channels.first(where: { ExactText($0.name) == channel })?.value,
                    case .new(let value)? = checkpoint.channels.first(where: { ExactText($0.name) == channel })?.value
                else { continue }
                let start = max(0, value.data.count - window)
                let base = Array(value.data[start...])
                left -= base.count
                var pieces: [Piece] = []
                for part in PieceMatcher.writes.parts(of: bytes, base: base) {
                    switch part {
                    case .literal(let range): pieces.add(.inline(Array(bytes[range])))
                    case .copy(let range):
                        for piece in stored.pieces.part(start + range.lowerBound..<start + range.upperBound) { pieces.add(piece) }
                    }
                }
                let settled = StoredValue(
                    type: write.value.type, byteCount: write.value.byteCount, checksum: write.value.checksum, pieces: pieces)
                if settled.inlineBytes * 2 < write.value.inlineBytes, pieces.count <= StreamDraft.maxPieces {
                    writes.replaceValue(at: place, by: settled)
                    isSettled = true
                }
            }
            guard isSettled else { continue }
            let content = writes.bytes
            if content.count < row.content.count { changed.append(row.with(content: content)) }
        }
        return changed
    }

    /// Whether a record is of what a checkpoint brings.
    private static func says(_ record: CheckpointRecord, _ checkpoint: NewCheckpoint) -> Bool {
        guard record.content == checkpoint.content, record.channels.count == checkpoint.channels.count else { return false }
        return zip(record.channels, checkpoint.channels).allSatisfy { kept, new in
            guard ExactText(kept.name) == ExactText(new.name), ExactText(kept.version) == ExactText(new.version) else { return false }
            switch new.value {
            case .new(let value): return kept.value?.isOf(value) ?? false
            case .empty: return kept.value == nil
            case .kept: return true
            }
        }
    }

    // MARK: - Putting writes

    /// Keeps what a task has written behind a checkpoint, which may not have come yet.
    func put(_ writes: [PendingWrite], of task: String, path: String, behind key: CheckpointKey, in name: ThreadName, of user: UUID) async throws {
        try await postgres.transaction(identity: .user(user), tier: .normal) { transaction in
            guard let thread = try await transaction.first(.use(name, number: Self.newNumber(), of: user)) else {
                throw PostgresError(.decoding, "A thread that is there could not be read.")
            }
            let row = try await transaction.first(.writes(of: task, behind: key, of: thread.number, user))
            var all = try row.map { row in try Self.reading { () throws(UnreadableBytes) in try TaskWrites(row.content) } } ?? TaskWrites()
            for write in writes { all.add(.init(index: write.index, channel: write.channel, value: StoredValue(inline: write.value))) }
            guard all.writes.count <= Self.maxWritesOfTask, all.byteCount <= Self.maxBytesOfTask else { throw CheckpointError.tooManyWrites }
            let new = WritesRow(
                namespace: key.namespace.text, checkpoint: key.id, task: task, path: row?.path ?? path, content: all.bytes)
            guard new != row else { return }
            try await transaction.execute(.put([new], to: thread.number, of: user))
        }
    }
}
