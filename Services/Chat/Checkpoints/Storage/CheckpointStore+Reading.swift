internal import Application
internal import FoundationEssentials
internal import Postgres

extension CheckpointStore {
    /// A checkpoint, without an id the newest of the namespace.
    func find(_ id: UUID?, in namespace: CheckpointNamespace, of name: ThreadName, _ user: UUID) async throws -> KeptCheckpoint {
        var seen: Set<CheckpointThread> = []
        for _ in 0..<Self.attempts {
            guard let thread = try await postgres.first(.thread(name, of: user), identity: .user(user)) else {
                throw CheckpointError.threadNotFound
            }
            seen.insert(thread)
            let row = if let id {
                try await postgres.first(
                    .checkpoint(CheckpointKey(namespace: namespace, id: id), of: name, user), identity: .user(user))
            } else {
                try await postgres.first(.newest(in: namespace, of: thread.number, user), identity: .user(user))
            }
            guard let row else { throw CheckpointError.checkpointNotFound }
            if let found = try await read([row], of: user)?.first { return found }
        }
        // Freed or made one between two reads, each time; unless nothing was freed meanwhile.
        throw seen.count > 1 ? CheckpointError.tooBusy : CheckpointError.damaged
    }

    /// The number of a thread. Throws `.threadNotFound` if there is none.
    func number(of name: ThreadName, _ user: UUID) async throws -> Int64 {
        guard let thread = try await postgres.first(.thread(name, of: user), identity: .user(user)) else {
            throw CheckpointError.threadNotFound
        }
        return thread.number
    }

    /// A part of a list, and whether there were more behind it.
    struct Page: Sendable {
        let checkpoints: [KeptCheckpoint]
        let hasMore: Bool
    }

    /// A page ends early rather than hold more than this.
    static let maxPageBytes = AnswerBytes.most

    func page(_ list: CheckpointList, of user: UUID) async throws -> Page {
        var list = list
        let limit = list.limit
        // One more than asked for tells whether there is a next page.
        list.limit = limit + 1
        var rows = try await postgres.rows(.list(list, of: user), identity: .user(user))
        var hasMore = rows.count > limit
        rows = Array(rows.prefix(limit))
        var kept: [KeptCheckpoint] = []
        var bytes = 0
        // A few at a time, since the rest of a page may not fit.
        while !rows.isEmpty {
            let some = Array(rows.prefix(8))
            rows.removeFirst(some.count)
            for checkpoint in try await readAgain(some, of: user) {
                bytes += checkpoint.byteCount
                if !kept.isEmpty, bytes > Self.maxPageBytes {
                    hasMore = true
                    return Page(checkpoints: kept, hasMore: hasMore)
                }
                kept.append(checkpoint)
            }
        }
        return Page(checkpoints: kept, hasMore: hasMore)
    }

    /// The checkpoints of rows that were listed, as they are now; those that were deleted since are left out.
    private func readAgain(_ listed: [CheckpointRow], of user: UUID) async throws -> [KeptCheckpoint] {
        var rows = listed
        var seen: Set<[CheckpointRow]> = []
        for _ in 0..<Self.attempts {
            if let read = try await read(rows, of: user) { return read }
            seen.insert(rows)
            var standing: [CheckpointRow] = []
            for row in rows {
                let row = try await postgres.first(.checkpoint(row.key, of: ThreadName(kept: row.threadName), user), identity: .user(user))
                if let row { standing.append(row) }
            }
            rows = standing
        }
        // As in `find`: the rows have the epochs of their threads, so nothing was freed meanwhile if they stayed what they were.
        throw seen.count > 1 ? CheckpointError.tooBusy : CheckpointError.damaged
    }

    /// The checkpoints of these rows; `nil` if ranges that they are made of are not there or not what they were.
    private func read(_ rows: [CheckpointRow], of user: UUID) async throws -> [KeptCheckpoint]? {
        var found: [CheckpointKey: [Int64: KeptCheckpoint]] = [:]
        for (thread, rows) in Dictionary(grouping: rows, by: \.thread) {
            async let records = reader.bytes(of: rows.map(\.record), in: thread, of: user)
            let written = try await postgres.rows(.writes(behind: rows.map(\.key), of: thread, user), identity: .user(user))
            let recordBytes = try await records
            var parts: [(row: CheckpointRow, record: CheckpointRecord, writes: [(row: WritesRow, writes: TaskWrites)])] = []
            for row in rows {
                guard case .some(.some(let record)) = Self.record(row, in: recordBytes) else { return nil }
                var byteCount = record.channels.reduce(0) { $0 + ($1.value?.byteCount ?? 0) }
                var own: [(row: WritesRow, writes: TaskWrites)] = []
                for task in written where task.key == row.key {
                    let writes = try Self.reading { () throws(UnreadableBytes) in try TaskWrites(task.content) }
                    let nameBytes = task.task.utf8.count + task.path.utf8.count
                    byteCount += writes.writes.reduce(0) { $0 + $1.value.byteCount + $1.channel.utf8.count + nameBytes }
                    // Before the next are unpacked, of which there may be any number.
                    guard byteCount <= maxReadBytes else { throw CheckpointError.tooLarge }
                    own.append((task, writes))
                }
                parts.append((row, record, own))
            }
            let ranges = parts.flatMap { $0.record.ranges + $0.writes.flatMap(\.writes.ranges) }
            let bytes = try await reader.bytes(of: ranges, in: thread, of: user)
            for part in parts {
                guard let kept = Self.checkpoint(part.row, part.record, part.writes, in: bytes) else { return nil }
                found[part.row.key, default: [:]][thread] = kept
            }
        }
        return rows.compactMap { found[$0.key]?[$0.thread] }
    }

    private static func checkpoint(
        _ row: CheckpointRow, _ record: CheckpointRecord, _ written: [(row: WritesRow, writes: TaskWrites)], in bytes: StreamBytes
    ) -> KeptCheckpoint? {
        var channels: [KeptCheckpoint.Channel] = []
        for channel in record.channels {
            var value: TypedValue?
            if let stored = channel.value {
                guard let read = bytes.value(stored) else { return nil }
                value = read
            }
            channels.append(.init(name: channel.name, version: channel.version, value: value))
        }
        var writes: [PendingWrite] = []
        // By bytes, as Python compares text: by code point, which is the order of UTF-8.
        let ordered = written.sorted {
            ExactText($0.row.path) == ExactText($1.row.path) ? $0.row.task.utf8.lexicographicallyPrecedes($1.row.task.utf8)
                : $0.row.path.utf8.lexicographicallyPrecedes($1.row.path.utf8)
        }
        for (row, task) in ordered {
            for write in task.writes {
                guard let value = bytes.value(write.value) else { return nil }
                writes.append(PendingWrite(task: row.task, path: row.path, index: write.index, channel: write.channel, value: value))
            }
        }
        return KeptCheckpoint(row: row, content: record.content, channels: channels, writes: writes)
    }
}
