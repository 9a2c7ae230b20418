internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// What is left of a thread whose history is deleted.
enum PruneStrategy: Hashable, Sendable {
    case keepLatest, delete
}

extension CheckpointStore {
    /// Throws `.threadNotFound` if there is none.
    func delete(_ name: ThreadName, of user: UUID) async throws {
        let number = try await number(of: name, user)
        guard try await postgres.execute(.deleteThread(number, of: user), identity: .user(user)) == 1 else {
            throw CheckpointError.threadNotFound
        }
        try await CurrentTask.afterCommit { [hot] in await hot.forget(number, user) }
    }

    /// Copies a thread with its whole history. Throws `.threadNotFound` without a source and `.targetExists` with a target.
    func copy(_ source: ThreadName, to target: ThreadName, of user: UUID) async throws {
        try await postgres.transaction(identity: .user(user), tier: .slow) { transaction in
            guard let from = try await transaction.first(.lock(source, of: user)) else { throw CheckpointError.threadNotFound }
            guard let to = try await transaction.first(.make(target, number: Self.newNumber(), of: user)) else {
                throw CheckpointError.targetExists
            }
            _ = try await transaction.batch(
                .copySegments(of: from.number, to: to.number, of: user), .copyCheckpoints(of: from.number, to: to.number, of: user),
                .copyWrites(of: from.number, to: to.number, of: user))
        }
    }

    /// Deletes a thread's history. How many checkpoints; 0 if there is no such thread.
    ///
    /// - Parameter age: leaves a thread alone that has been used since; and notes that it was done, so that it is not done again before it is.
    func prune(_ name: ThreadName, _ strategy: PruneStrategy, unusedFor age: Duration? = nil, of user: UUID) async throws -> Int {
        let (deleted, thread, freed) = try await postgres.transaction(identity: .user(user), tier: .slow) { transaction in
            let lock: Statement<CheckpointThread> = if let age { .lock(name, unusedFor: age, of: user) } else { .lock(name, of: user) }
            guard let thread = try await transaction.first(lock) else { return (0, Int64(0), [SegmentHead]()) }
            if strategy == .delete {
                let count = try await transaction.first(.count(of: thread.number, user))?.value ?? 0
                try await transaction.execute(.deleteThread(thread.number, of: user))
                return (Int(count), thread.number, [])
            }
            let kept = Array(try await needed(in: thread.number, of: user, transaction))
            let deleted = try await transaction.first(.deleteAllBut(kept, of: thread.number, user))?.value ?? 0
            let freed = deleted == 0 ? [] : try await free(thread.number, of: user, transaction)
            if age != nil { try await transaction.execute(.markPruned(thread.number, of: user)) }
            return (Int(deleted), thread.number, freed)
        }
        try await CurrentTask.afterCommit { [hot] in
            if strategy == .delete { await hot.forget(thread, user) } else { await hot.forget(freed, of: thread, user) }
        }
        return deleted
    }

    /// Deletes the checkpoints of these runs, with what was written behind them, in all of the person's threads. How many.
    func deleteRuns(_ runs: [String], of user: UUID) async throws -> Int {
        guard !runs.isEmpty else { return 0 }
        let found = try await postgres.rows(.ofRuns(runs, user), identity: .user(user))
        var deleted = 0
        for (thread, checkpoints) in Dictionary(grouping: found, by: \.thread) {
            let keys = checkpoints.map { CheckpointKey(namespace: CheckpointNamespace(kept: $0.namespace), id: $0.id) }
            let freed = try await postgres.transaction(identity: .user(user), tier: .slow) { transaction in
                guard try await transaction.first(.lock(thread, of: user)) != nil else { return [SegmentHead]() }
                _ = try await transaction.batch(
                    .delete(keys, of: thread, user), .deleteWrites(behind: keys, of: thread, user), .orphan(keys, of: thread, user))
                return try await free(thread, of: user, transaction)
            }
            try await CurrentTask.afterCommit { [hot] in await hot.forget(freed, of: thread, user) }
            deleted += keys.count
        }
        return deleted
    }

    // MARK: - What is needed

    /// The newest checkpoint of each namespace and what it needs: channels that it does not hold whole are rebuilt from the writes behind the
    /// checkpoints before it, back to one that holds them.
    private func needed(
        in thread: Int64, of user: UUID, _ transaction: Transaction
    ) async throws -> Set<CheckpointKey> {
        var needed: Set<CheckpointKey> = []
        for newest in try await transaction.rows(.newestOutlines(of: thread, user)) {
            needed.insert(newest.key)
            var missing = Set(newest.deltaChannels.map { ExactText($0) })
            var place: CheckpointOutline? = newest
            var seen: Set<CheckpointKey> = []
            // Who keeps checkpoints says what their parents are, so these may lead in a circle.
            while !missing.isEmpty, let outline = place, seen.insert(outline.key).inserted {
                needed.insert(outline.key)
                let bytes = try await bytes(of: [outline.record], in: thread, of: user, transaction)
                guard let record = CheckpointStore.record(at: outline.record, in: bytes) else { throw CheckpointError.damaged }
                for channel in record.channels where channel.value != nil { missing.remove(ExactText(channel.name)) }
                guard !missing.isEmpty, let parent = outline.parent else { break }
                let key = CheckpointKey(namespace: outline.key.namespace, id: parent)
                place = try await transaction.first(.outline(key, of: thread, user))
            }
        }
        return needed
    }

    // MARK: - Freeing

    /// Frees the bytes that nothing is made of any more: whole segments go, and in the others they become zeros. The segments that are no more.
    ///
    /// What is left of the thread is read in parts, so that memory does not grow with it.
    private func free(_ thread: Int64, of user: UUID, _ transaction: Transaction) async throws -> [SegmentHead] {
        let (part, writesPart) = (partSize, max(1, partSize / 10))
        try await transaction.execute(.raiseEpoch(thread, of: user))
        var live = LiveRanges([])
        var isEmpty = true
        var last: CheckpointKey?
        while true {
            let outlines = try await transaction.rows(.outlines(of: thread, after: last, limit: part, user))
            var ranges = outlines.map(\.record)
            let records = try await bytes(of: ranges, in: thread, of: user, transaction)
            for outline in outlines {
                guard let record = CheckpointStore.record(at: outline.record, in: records) else { throw CheckpointError.damaged }
                ranges += record.ranges
            }
            live.add(ranges)
            isEmpty = isEmpty && outlines.isEmpty
            last = outlines.last?.key
            if outlines.count < part { break }
        }
        var lastWrites: WritesRow?
        while true {
            let written = try await transaction.rows(.writes(of: thread, after: lastWrites, limit: writesPart, user))
            live.add(
                try written.flatMap { row in try CheckpointStore.reading { () throws(UnreadableBytes) in try TaskWrites(row.content) }.ranges })
            isEmpty = isEmpty && written.isEmpty
            lastWrites = written.last
            if written.count < writesPart { break }
        }
        let heads = try await transaction.rows(.heads(of: thread, user))
        if isEmpty {
            try await transaction.execute(.deleteThread(thread, of: user))
            return heads
        }
        let remains = live
        let dead = heads.filter { remains.parts(of: $0.range).isEmpty }
        let partly = heads.filter { head in
            let parts = remains.parts(of: head.range)
            return !parts.isEmpty && parts != [0..<head.byteCount]
        }
        if !dead.isEmpty { try await transaction.execute(.delete(dead, of: thread, user)) }
        var replaced: [SegmentHead] = []
        for start in stride(from: 0, to: partly.count, by: 64) {
            let some = Array(partly[start..<min(start + 64, partly.count)])
            var changed: [Segment] = []
            for segment in try await transaction.rows(.segments(some, of: thread, user)) {
                guard let bytes = segment.bytes else { throw CheckpointError.damaged }
                // Zeros take no room when they are packed.
                var left = [UInt8](repeating: 0, count: bytes.count)
                for part in remains.parts(of: segment.head.range) { left.replaceSubrange(part, with: bytes[part]) }
                guard left != bytes else { continue }
                changed.append(Segment(stream: segment.head.stream, position: segment.head.position, bytes: left))
                replaced.append(segment.head)
            }
            if !changed.isEmpty { try await transaction.execute(.replace(changed, of: thread, user)) }
        }
        return dead + replaced
    }

    /// The bytes of ranges, read within a transaction that holds the thread's lock.
    private func bytes(
        of ranges: [StreamRange], in thread: Int64, of user: UUID, _ transaction: Transaction
    ) async throws -> StreamBytes {
        let heads = try await transaction.rows(.heads(of: SegmentReader.merged(ranges), in: thread, of: user))
        let segments = try await transaction.rows(.segments(heads, of: thread, user))
        return StreamBytes(
            try segments.map { segment in
                guard let bytes = segment.bytes else { throw CheckpointError.damaged }
                return (segment.head, bytes)
            })
    }
}

extension CheckpointOutline {
    var key: CheckpointKey { CheckpointKey(namespace: CheckpointNamespace(kept: namespace), id: id) }
}

/// The ranges of a thread's streams that something is made of.
struct LiveRanges {
    private var streams: [Int32: [Range<Int64>]] = [:]

    init(_ ranges: [StreamRange]) { add(ranges) }

    mutating func add(_ ranges: [StreamRange]) {
        let known = streams.flatMap { stream, ranges in
            ranges.map { StreamRange(stream: stream, position: $0.lowerBound, count: Int($0.upperBound - $0.lowerBound)) }
        }
        streams = [:]
        for range in (known + ranges).sorted(by: { $0.position < $1.position }) where range.count > 0 {
            if let last = streams[range.stream]?.last, range.position <= last.upperBound {
                let joined = last.lowerBound..<max(last.upperBound, range.end)
                streams[range.stream]?.removeLast()
                streams[range.stream]?.append(joined)
            } else {
                streams[range.stream, default: []].append(range.position..<range.end)
            }
        }
    }

    /// Which parts of a range are live, counted from its begin.
    func parts(of range: StreamRange) -> [Range<Int>] {
        guard let live = streams[range.stream] else { return [] }
        // The first that ends behind the range's begin.
        var (low, high) = (0, live.count)
        while low < high {
            let middle = (low + high) / 2
            if live[middle].upperBound <= range.position { low = middle + 1 } else { high = middle }
        }
        var parts: [Range<Int>] = []
        for place in live[low...] {
            guard place.lowerBound < range.end else { break }
            let common = place.clamped(to: range.position..<range.end)
            parts.append(Int(common.lowerBound - range.position)..<Int(common.upperBound - range.position))
        }
        return parts
    }
}
