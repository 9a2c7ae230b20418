internal import FoundationEssentials
internal import Postgres
internal import Time

/// What the other tables call a thread, and how often ranges of its streams were freed.
struct CheckpointThread: Hashable, Sendable, RowDecodable {
    let number: Int64
    let epoch: Int64

    init(row: Row) throws(PostgresError) {
        number = try row.decode("number")
        epoch = try row.decode("epoch")
    }
}

/// A checkpoint's row.
struct CheckpointRow: Hashable, Sendable, RowDecodable {
    let thread: Int64
    let threadName: String
    let epoch: Int64
    let namespace: String
    let id: UUID
    let parent: UUID?
    let record: StreamRange
    let metadata: String
    let createdAt: Instant

    static let columns: Query = """
        c.thread, t.thread_id, t.epoch, c.namespace, c.id, c.parent_id, c.position, c.byte_count, c.metadata, c.created_at
        """

    var key: CheckpointKey { CheckpointKey(namespace: CheckpointNamespace(kept: namespace), id: id) }

    init(row: Row) throws(PostgresError) {
        thread = try row.decode("thread")
        threadName = try row.decode("thread_id")
        epoch = try row.decode("epoch")
        namespace = try row.decode("namespace")
        id = try row.decode("id")
        parent = try row.decode("parent_id")
        record = StreamRange(
            stream: 0, position: try row.decode("position"), count: Int(try row.decode("byte_count", as: Int32.self)))
        metadata = try row.decode("metadata", as: JSONB.self).text
        createdAt = try row.decode("created_at")
    }
}

/// What deleting has to know of a checkpoint.
struct CheckpointOutline: Hashable, Sendable, RowDecodable {
    let namespace: String
    let id: UUID
    let parent: UUID?
    let record: StreamRange
    /// Channels that are rebuilt from what was written behind earlier checkpoints.
    let deltaChannels: [String]

    static let columns: Query = """
        namespace, id, parent_id, position, byte_count,
        CASE jsonb_typeof(metadata -> 'counters_since_delta_snapshot') WHEN 'object'
            THEN ARRAY(SELECT jsonb_object_keys(metadata -> 'counters_since_delta_snapshot')) ELSE '{}' END AS delta_channels
        """

    init(row: Row) throws(PostgresError) {
        namespace = try row.decode("namespace")
        id = try row.decode("id")
        parent = try row.decode("parent_id")
        record = StreamRange(
            stream: 0, position: try row.decode("position"), count: Int(try row.decode("byte_count", as: Int32.self)))
        deltaChannels = try row.decode("delta_channels")
    }
}

/// What a task wrote behind a checkpoint.
struct WritesRow: Hashable, Sendable, RowDecodable {
    let namespace: String
    let checkpoint: UUID
    let task: String
    let path: String
    let content: [UInt8]

    static let columns: Query = "namespace, checkpoint_id, task_id, task_path, content"

    init(row: Row) throws(PostgresError) {
        namespace = try row.decode("namespace")
        checkpoint = try row.decode("checkpoint_id")
        task = try row.decode("task_id")
        path = try row.decode("task_path")
        content = try row.decode("content")
    }
}

/// Where a stream ends.
struct StreamEnd: Hashable, Sendable, RowDecodable {
    let stream: Int32
    let position: Int64

    init(row: Row) throws(PostgresError) {
        stream = try row.decode("stream")
        position = try row.decode("position")
    }
}

/// A checkpoint that a run made.
struct CheckpointOfRun: Hashable, Sendable, RowDecodable {
    let thread: Int64
    let namespace: String
    let id: UUID

    init(row: Row) throws(PostgresError) {
        thread = try row.decode("thread")
        namespace = try row.decode("namespace")
        id = try row.decode("id")
    }
}

extension WritesRow {
    /// Behind which checkpoint it was written.
    var key: CheckpointKey { CheckpointKey(namespace: CheckpointNamespace(kept: namespace), id: checkpoint) }

    init(namespace: String, checkpoint: UUID, task: String, path: String, content: [UInt8]) {
        self.namespace = namespace
        self.checkpoint = checkpoint
        self.task = task
        self.path = path
        self.content = content
    }

    func with(content: [UInt8]) -> WritesRow {
        WritesRow(namespace: namespace, checkpoint: checkpoint, task: task, path: path, content: content)
    }
}
