internal import Application
internal import FoundationEssentials
internal import Postgres

// MARK: - Threads

extension Statement<CheckpointThread> {
    static func thread(_ name: ThreadName, of user: UUID) -> Self {
        .reading("SELECT number, epoch FROM chat.checkpoint_threads WHERE user_id = \(user) AND thread_id = \(name.text)")
    }

    /// Makes the thread if there is none, notes that it is used, and keeps others from changing it until the commit.
    ///
    /// When it was used is noted to the hour: a row whose indexed columns stay as they are is updated in its page alone.
    static func use(_ name: ThreadName, number: Int64, of user: UUID) -> Self {
        .writing(
            """
            INSERT INTO chat.checkpoint_threads AS t (user_id, number, thread_id) VALUES (\(user), \(number), \(name.text))
            ON CONFLICT ON CONSTRAINT checkpoint_threads_thread_key DO UPDATE SET pruned_at = NULL,
                used_at = CASE WHEN t.used_at < clock_timestamp() - interval '1 hour' THEN clock_timestamp() ELSE t.used_at END
            RETURNING number, epoch
            """,
            tier: .normal)
    }

    /// No row if there is one of the name.
    static func make(_ name: ThreadName, number: Int64, of user: UUID) -> Self {
        .writing(
            """
            INSERT INTO chat.checkpoint_threads (user_id, number, thread_id) VALUES (\(user), \(number), \(name.text))
            ON CONFLICT ON CONSTRAINT checkpoint_threads_thread_key DO NOTHING RETURNING number, epoch
            """)
    }

    static func lock(_ name: ThreadName, of user: UUID) -> Self {
        .writing(
            "SELECT number, epoch FROM chat.checkpoint_threads WHERE user_id = \(user) AND thread_id = \(name.text) FOR UPDATE",
            tier: .slow)
    }

    /// No row if it has been used since.
    static func lock(_ name: ThreadName, unusedFor age: Duration, of user: UUID) -> Self {
        .writing(
            """
            SELECT number, epoch FROM chat.checkpoint_threads
            WHERE user_id = \(user) AND thread_id = \(name.text) AND used_at < clock_timestamp() - make_interval(secs => \(age / .seconds(1)))
            FOR UPDATE
            """,
            tier: .slow)
    }

    static func lock(_ thread: Int64, of user: UUID) -> Self {
        .writing(
            "SELECT number, epoch FROM chat.checkpoint_threads WHERE user_id = \(user) AND number = \(thread) FOR UPDATE",
            tier: .slow)
    }
}

extension Statement<Void> {
    static func deleteThread(_ thread: Int64, of user: UUID) -> Self {
        .writing("DELETE FROM chat.checkpoint_threads WHERE user_id = \(user) AND number = \(thread)", tier: .slow)
    }

    /// What was made of ranges of its streams may be gone.
    static func raiseEpoch(_ thread: Int64, of user: UUID) -> Self {
        .writing("UPDATE chat.checkpoint_threads SET epoch = epoch + 1 WHERE user_id = \(user) AND number = \(thread)")
    }

    static func markPruned(_ thread: Int64, of user: UUID) -> Self {
        .writing("UPDATE chat.checkpoint_threads SET pruned_at = clock_timestamp() WHERE user_id = \(user) AND number = \(thread)")
    }

    static func copySegments(of thread: Int64, to target: Int64, of user: UUID) -> Self {
        .writing(
            """
            INSERT INTO chat.checkpoint_segments (user_id, thread, stream, position, byte_count, digest, content)
            SELECT user_id, \(target), stream, position, byte_count, digest, content FROM chat.checkpoint_segments
            WHERE user_id = \(user) AND thread = \(thread)
            """,
            tier: .slow)
    }

    static func copyCheckpoints(of thread: Int64, to target: Int64, of user: UUID) -> Self {
        .writing(
            """
            INSERT INTO chat.checkpoints (user_id, thread, namespace, id, parent_id, position, byte_count, metadata, created_at)
            SELECT user_id, \(target), namespace, id, parent_id, position, byte_count, metadata, created_at FROM chat.checkpoints
            WHERE user_id = \(user) AND thread = \(thread)
            """,
            tier: .slow)
    }

    static func copyWrites(of thread: Int64, to target: Int64, of user: UUID) -> Self {
        .writing(
            """
            INSERT INTO chat.checkpoint_writes (user_id, thread, namespace, checkpoint_id, task_id, task_path, content)
            SELECT user_id, \(target), namespace, checkpoint_id, task_id, task_path, content FROM chat.checkpoint_writes
            WHERE user_id = \(user) AND thread = \(thread)
            """,
            tier: .slow)
    }
}

// MARK: - Streams

extension Statement<SegmentHead> {
    /// The segments that have any of these ranges.
    static func heads(of ranges: [StreamRange], in thread: Int64, of user: UUID) -> Self {
        .reading(
            """
            SELECT DISTINCT s.stream, s.position, s.byte_count, s.digest
            FROM unnest(\(ranges.map(\.stream)), \(ranges.map(\.position)), \(ranges.map(\.end))) AS r (stream, first, behind)
            CROSS JOIN LATERAL (
                SELECT stream, position, byte_count, digest FROM chat.checkpoint_segments
                WHERE user_id = \(user) AND thread = \(thread) AND stream = r.stream
                    AND position > r.first - \(Int64(Segment.maxBytes)) AND position < r.behind AND position + byte_count > r.first
            ) AS s
            """,
            tier: .normal)
    }

    static func heads(of thread: Int64, _ user: UUID) -> Self {
        .reading(
            """
            SELECT \(SegmentHead.columns) FROM chat.checkpoint_segments WHERE user_id = \(user) AND thread = \(thread)
            ORDER BY stream, position
            """,
            tier: .slow)
    }
}

extension Statement<Segment> {
    static func segments(_ heads: [SegmentHead], of thread: Int64, _ user: UUID) -> Self {
        .reading(
            """
            SELECT s.stream, s.position, s.byte_count, s.digest, s.content
            FROM unnest(\(heads.map(\.stream)), \(heads.map(\.position))) AS h (stream, position)
            CROSS JOIN LATERAL (
                SELECT \(SegmentHead.columns), content FROM chat.checkpoint_segments
                WHERE user_id = \(user) AND thread = \(thread) AND stream = h.stream AND position = h.position
            ) AS s
            """,
            tier: .normal)
    }

    static func segments(of stream: Int32, from position: Int64, in thread: Int64, _ user: UUID) -> Self {
        .reading(
            """
            SELECT \(SegmentHead.columns), content FROM chat.checkpoint_segments
            WHERE user_id = \(user) AND thread = \(thread) AND stream = \(stream) AND position >= \(position) ORDER BY position
            """,
            tier: .normal)
    }
}

extension Statement<StreamEnd> {
    static func ends(of streams: [Int32], in thread: Int64, _ user: UUID) -> Self {
        .reading(
            """
            SELECT s.stream, coalesce((
                SELECT position + byte_count FROM chat.checkpoint_segments
                WHERE user_id = \(user) AND thread = \(thread) AND stream = s.stream ORDER BY position DESC LIMIT 1
            ), 0) AS position
            FROM unnest(\(streams)) AS s (stream)
            """)
    }
}

extension Statement<Scalar<Int32>> {
    static func lastStream(of thread: Int64, _ user: UUID) -> Self {
        .reading(
            """
            SELECT coalesce((
                SELECT stream FROM chat.checkpoint_segments WHERE user_id = \(user) AND thread = \(thread)
                ORDER BY stream DESC, position DESC LIMIT 1
            ), 0)
            """)
    }
}

extension Statement<Void> {
    static func insert(_ segments: [Segment], to thread: Int64, of user: UUID) -> Self {
        .writing(
            """
            INSERT INTO chat.checkpoint_segments (user_id, thread, stream, position, byte_count, digest, content)
            SELECT \(user), \(thread), s.stream, s.position, s.byte_count, s.digest, s.content
            FROM unnest(
                \(segments.map(\.head.stream)), \(segments.map(\.head.position)), \(segments.map { Int32($0.head.byteCount) }),
                \(segments.map(\.head.digest)), \(segments.map(\.content))
            ) AS s (stream, position, byte_count, digest, content)
            """,
            tier: .normal)
    }

    static func replace(_ segments: [Segment], of thread: Int64, _ user: UUID) -> Self {
        .writing(
            """
            UPDATE chat.checkpoint_segments AS s SET digest = n.digest, content = n.content
            FROM unnest(
                \(segments.map(\.head.stream)), \(segments.map(\.head.position)), \(segments.map(\.head.digest)), \(segments.map(\.content))
            ) AS n (stream, position, digest, content)
            WHERE s.user_id = \(user) AND s.thread = \(thread) AND s.stream = n.stream AND s.position = n.position
            """,
            tier: .slow)
    }

    static func delete(_ heads: [SegmentHead], of thread: Int64, _ user: UUID) -> Self {
        .writing(
            """
            DELETE FROM chat.checkpoint_segments AS s USING unnest(\(heads.map(\.stream)), \(heads.map(\.position))) AS h (stream, position)
            WHERE s.user_id = \(user) AND s.thread = \(thread) AND s.stream = h.stream AND s.position = h.position
            """,
            tier: .slow)
    }
}

// MARK: - Checkpoints

extension Statement<CheckpointRow> {
    private static let from: Query = """
        chat.checkpoints AS c JOIN chat.checkpoint_threads AS t ON t.user_id = c.user_id AND t.number = c.thread
        """

    static func checkpoint(_ key: CheckpointKey, of thread: ThreadName, _ user: UUID) -> Self {
        .reading(
            """
            SELECT \(CheckpointRow.columns) FROM \(from)
            WHERE c.user_id = \(user) AND t.thread_id = \(thread.text) AND c.namespace = \(key.namespace.text) AND c.id = \(key.id)
            """)
    }

    static func newest(in namespace: CheckpointNamespace, of thread: Int64, _ user: UUID) -> Self {
        .reading(
            """
            SELECT \(CheckpointRow.columns) FROM \(from)
            WHERE c.user_id = \(user) AND c.thread = \(thread) AND c.namespace = \(namespace.text)
            ORDER BY c.id DESC LIMIT 1
            """)
    }

    static func list(_ list: CheckpointList, of user: UUID) -> Self {
        let thread: Query = if let thread = list.thread { "AND c.thread = \(thread)" } else { "" }
        let namespace: Query = if let namespace = list.namespace { "AND c.namespace = \(namespace.text)" } else { "" }
        let id: Query = if let id = list.id { "AND c.id = \(id)" } else { "" }
        let before: Query = if let before = list.before { "AND c.id < \(before)" } else { "" }
        let filter: Query = if let filter = list.filter { "AND c.metadata @> \(JSONB(filter.json))" } else { "" }
        let rest: Query =
            if let place = list.place { "AND (c.id, c.thread, c.namespace) < (\(place.id), \(place.thread), \(place.namespace))" } else { "" }
        return .reading(
            """
            SELECT \(CheckpointRow.columns) FROM \(from)
            WHERE c.user_id = \(user) \(thread) \(namespace) \(id) \(before) \(filter) \(rest)
            ORDER BY c.id DESC, c.thread DESC, c.namespace DESC LIMIT \(list.limit)
            """,
            tier: .normal)
    }
}

extension Statement<CheckpointOutline> {
    static func outlines(of thread: Int64, after key: CheckpointKey?, limit: Int, _ user: UUID) -> Self {
        let rest: Query = if let key { "AND (namespace, id) > (\(key.namespace.text), \(key.id))" } else { "" }
        return .reading(
            """
            SELECT \(CheckpointOutline.columns) FROM chat.checkpoints
            WHERE user_id = \(user) AND thread = \(thread) \(rest) ORDER BY namespace, id LIMIT \(limit)
            """,
            tier: .slow)
    }

    static func newestOutlines(of thread: Int64, _ user: UUID) -> Self {
        .reading(
            """
            SELECT DISTINCT ON (namespace) \(CheckpointOutline.columns) FROM chat.checkpoints
            WHERE user_id = \(user) AND thread = \(thread) ORDER BY namespace DESC, id DESC
            """,
            tier: .slow)
    }

    static func outline(_ key: CheckpointKey, of thread: Int64, _ user: UUID) -> Self {
        .reading(
            """
            SELECT \(CheckpointOutline.columns) FROM chat.checkpoints
            WHERE user_id = \(user) AND thread = \(thread) AND namespace = \(key.namespace.text) AND id = \(key.id)
            """)
    }
}

extension Statement<Scalar<Int64>> {
    static func count(of thread: Int64, _ user: UUID) -> Self {
        .reading("SELECT count(*) FROM chat.checkpoints WHERE user_id = \(user) AND thread = \(thread)", tier: .slow)
    }

    /// Deletes the others with what was written behind them; what came from one of those comes from nowhere. How many went.
    static func deleteAllBut(_ keys: [CheckpointKey], of thread: Int64, _ user: UUID) -> Self {
        .writing(
            """
            WITH kept AS (
                SELECT namespace, id FROM unnest(\(keys.map(\.namespace.text)), \(keys.map(\.id))) AS k (namespace, id)
            ), gone AS (
                DELETE FROM chat.checkpoints AS c
                WHERE c.user_id = \(user) AND c.thread = \(thread)
                    AND NOT EXISTS (SELECT FROM kept AS k WHERE k.namespace = c.namespace AND k.id = c.id)
                RETURNING c.namespace, c.id
            ), written AS (
                DELETE FROM chat.checkpoint_writes AS w USING gone AS g
                WHERE w.user_id = \(user) AND w.thread = \(thread) AND w.namespace = g.namespace AND w.checkpoint_id = g.id
            ), orphaned AS (
                UPDATE chat.checkpoints AS c SET parent_id = NULL FROM kept AS k
                WHERE c.user_id = \(user) AND c.thread = \(thread) AND c.namespace = k.namespace AND c.id = k.id
                    AND NOT EXISTS (SELECT FROM kept AS p WHERE p.namespace = c.namespace AND p.id = c.parent_id)
            )
            SELECT count(*) FROM gone
            """,
            tier: .slow)
    }
}

extension Statement<CheckpointOfRun> {
    static func ofRuns(_ runs: [String], _ user: UUID) -> Self {
        .reading(
            """
            SELECT thread, namespace, id FROM chat.checkpoints
            WHERE user_id = \(user) AND metadata ? 'run_id' AND metadata ->> 'run_id' = ANY(\(runs))
            ORDER BY thread
            """,
            tier: .slow)
    }
}

extension Statement<Void> {
    static func put(_ checkpoint: NewCheckpoint, record: StreamRange, to thread: Int64, of user: UUID) -> Self {
        .writing(
            """
            INSERT INTO chat.checkpoints (user_id, thread, namespace, id, parent_id, position, byte_count, metadata)
            VALUES (
                \(user), \(thread), \(checkpoint.key.namespace.text), \(checkpoint.key.id), \(checkpoint.parent), \(record.position),
                \(Int32(record.count)), \(JSONB(checkpoint.metadata.json))
            )
            ON CONFLICT (user_id, thread, namespace, id) DO UPDATE SET
                parent_id = excluded.parent_id, position = excluded.position, byte_count = excluded.byte_count, metadata = excluded.metadata
            """,
            tier: .normal)
    }

    static func renew(_ checkpoint: NewCheckpoint, in thread: Int64, of user: UUID) -> Self {
        .writing(
            """
            UPDATE chat.checkpoints SET parent_id = \(checkpoint.parent), metadata = \(JSONB(checkpoint.metadata.json))
            WHERE user_id = \(user) AND thread = \(thread) AND namespace = \(checkpoint.key.namespace.text) AND id = \(checkpoint.key.id)
            """)
    }

    static func delete(_ keys: [CheckpointKey], of thread: Int64, _ user: UUID) -> Self {
        .writing(
            """
            DELETE FROM chat.checkpoints AS c
            USING unnest(\(keys.map(\.namespace.text)), \(keys.map(\.id))) AS k (namespace, id)
            WHERE c.user_id = \(user) AND c.thread = \(thread) AND c.namespace = k.namespace AND c.id = k.id
            """,
            tier: .slow)
    }

    static func deleteWrites(behind keys: [CheckpointKey], of thread: Int64, _ user: UUID) -> Self {
        .writing(
            """
            DELETE FROM chat.checkpoint_writes AS w
            USING unnest(\(keys.map(\.namespace.text)), \(keys.map(\.id))) AS k (namespace, id)
            WHERE w.user_id = \(user) AND w.thread = \(thread) AND w.namespace = k.namespace AND w.checkpoint_id = k.id
            """,
            tier: .slow)
    }

    /// What came from one of these comes from nowhere.
    static func orphan(_ keys: [CheckpointKey], of thread: Int64, _ user: UUID) -> Self {
        .writing(
            """
            UPDATE chat.checkpoints AS c SET parent_id = NULL
            FROM unnest(\(keys.map(\.namespace.text)), \(keys.map(\.id))) AS k (namespace, id)
            WHERE c.user_id = \(user) AND c.thread = \(thread) AND c.namespace = k.namespace AND c.parent_id = k.id
            """,
            tier: .slow)
    }
}

// MARK: - Writes

extension Statement<WritesRow> {
    static func writes(behind keys: [CheckpointKey], of thread: Int64, _ user: UUID) -> Self {
        .reading(
            """
            SELECT w.namespace, w.checkpoint_id, w.task_id, w.task_path, w.content
            FROM unnest(\(keys.map(\.namespace.text)), \(keys.map(\.id))) AS k (namespace, id)
            CROSS JOIN LATERAL (
                SELECT \(WritesRow.columns) FROM chat.checkpoint_writes
                WHERE user_id = \(user) AND thread = \(thread) AND namespace = k.namespace AND checkpoint_id = k.id
            ) AS w
            """,
            tier: .normal)
    }

    static func writes(of task: String, behind key: CheckpointKey, of thread: Int64, _ user: UUID) -> Self {
        .reading(
            """
            SELECT \(WritesRow.columns) FROM chat.checkpoint_writes
            WHERE user_id = \(user) AND thread = \(thread) AND namespace = \(key.namespace.text) AND checkpoint_id = \(key.id)
                AND task_id = \(task)
            """)
    }

    static func writes(of thread: Int64, after row: WritesRow?, limit: Int, _ user: UUID) -> Self {
        let rest: Query =
            if let row { "AND (namespace, checkpoint_id, task_id) > (\(row.namespace), \(row.checkpoint), \(row.task))" } else { "" }
        return .reading(
            """
            SELECT \(WritesRow.columns) FROM chat.checkpoint_writes
            WHERE user_id = \(user) AND thread = \(thread) \(rest) ORDER BY namespace, checkpoint_id, task_id LIMIT \(limit)
            """,
            tier: .slow)
    }
}

extension Statement<Void> {
    static func put(_ writes: [WritesRow], to thread: Int64, of user: UUID) -> Self {
        .writing(
            """
            INSERT INTO chat.checkpoint_writes (user_id, thread, namespace, checkpoint_id, task_id, task_path, content)
            SELECT \(user), \(thread), w.namespace, w.checkpoint_id, w.task_id, w.task_path, w.content
            FROM unnest(
                \(writes.map(\.namespace)), \(writes.map(\.checkpoint)), \(writes.map(\.task)), \(writes.map(\.path)), \(writes.map(\.content))
            ) AS w (namespace, checkpoint_id, task_id, task_path, content)
            ON CONFLICT (user_id, thread, namespace, checkpoint_id, task_id) DO UPDATE SET
                task_path = excluded.task_path, content = excluded.content
            """,
            tier: .normal)
    }
}

// MARK: - Retention

/// A thread that nobody has used for long.
struct UnusedThread: Hashable, Sendable, RowDecodable {
    let user: UUID
    let thread: String

    init(row: Row) throws(PostgresError) {
        user = try row.decode("user_id")
        thread = try row.decode("thread_id")
    }
}

extension Statement<UnusedThread> {
    static func threads(unusedFor age: Duration, unprunedOnly: Bool, limit: Int) -> Self {
        .reading(
            """
            SELECT user_id, thread_id FROM chat.checkpoint_threads_unused_since(
                clock_timestamp() - make_interval(secs => \(age / .seconds(1))), \(unprunedOnly), \(Int32(limit)))
            """,
            tier: .normal)
    }
}

extension Statement<Scalar<Bool>> {
    /// Whether the caller alone deletes by age, until its transaction ends.
    static var beginRetention: Self {
        .reading("SELECT pg_try_advisory_xact_lock(hashtextextended('chat.checkpoint_retention', 0))")
    }
}
