internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC

// What the requests must hold: each `parsed()` returns domain values, or throws INVALID_ARGUMENT naming every field
// that breaks a rule.

extension ChatV1.PutCheckpointRequest {
    func parsed() throws(RPCError) -> NewCheckpoint {
        var violations = FieldViolations()
        let thread = violations.value("thread_id", threadId, ThreadName.init(_:))
        let namespace = violations.value("checkpoint_namespace", checkpointNamespace, CheckpointNamespace.init(_:))
        let id = violations.value("checkpoint_id", checkpointId, UUID.init(checkpoint:))
        let parent = violations.optional(
            "parent_checkpoint_id", parentCheckpointId.isEmpty ? nil : parentCheckpointId, UUID.init(checkpoint:))
        violations.check(parentCheckpointId.isEmpty || parent != id, "parent_checkpoint_id", "A checkpoint is not its own parent.")
        let content = violations.value("content", self.content) { value throws(InvalidValue) in
            guard let value else { throw InvalidValue("is needed") }
            return try TypedValue(checking: value.type, value.data, most: NewCheckpoint.maxContentBytes)
        }
        let metadata = violations.value("metadata", self.metadata, CheckpointMetadata.init(json:))
        violations.check(
            channels.count <= NewCheckpoint.maxChannels, "channels",
            "There may be \(NewCheckpoint.maxChannels) of them; there are \(channels.count).")
        var names: Set<ExactText> = []
        var parsed: [NewCheckpoint.Channel] = []
        for (place, channel) in channels.prefix(NewCheckpoint.maxChannels).enumerated() {
            violations.check(names.insert(ExactText(channel.name)).inserted, "channels[\(place)].name", "There is one of this name before it.")
            if let channel = channel.parsed(as: "channels[\(place)]", &violations) { parsed.append(channel) }
        }
        let (name, space, key, state, known) = try violations.complete(thread, namespace, id, content, metadata)
        return NewCheckpoint(
            thread: name, key: CheckpointKey(namespace: space, id: key), parent: parent, content: state, channels: parsed, metadata: known)
    }
}

extension ChatV1.CheckpointChannel {
    fileprivate func parsed(as field: String, _ violations: inout FieldViolations) -> NewCheckpoint.Channel? {
        let name = violations.value("\(field).name", name) { given throws(InvalidValue) in try given.bounded(to: 256) }
        let version = violations.value("\(field).version", version) { given throws(InvalidValue) in try given.bounded(to: 128) }
        violations.check(value == nil || !isEmpty, "\(field).value", "A channel that is empty has no value.")
        let given = violations.optional("\(field).value", value) { value throws(InvalidValue) in
            try TypedValue(checking: value.type, value.data)
        }
        guard let name, let version else { return nil }
        return .init(name: name, version: version, value: given.map { .new($0) } ?? (isEmpty ? .empty : .kept))
    }
}

extension ChatV1.PutWritesRequest {
    static let maxWrites = 256

    func parsed() throws(RPCError) -> (thread: ThreadName, key: CheckpointKey, task: String, path: String, writes: [PendingWrite]) {
        var violations = FieldViolations()
        let thread = violations.value("thread_id", threadId, ThreadName.init(_:))
        let namespace = violations.value("checkpoint_namespace", checkpointNamespace, CheckpointNamespace.init(_:))
        let id = violations.value("checkpoint_id", checkpointId, UUID.init(checkpoint:))
        violations.check(
            (1...Self.maxWrites).contains(writes.count), "writes",
            "There must be 1 to \(Self.maxWrites) of them; there are \(writes.count).")
        let (firstTask, firstPath) = (ExactText(writes.first?.taskId ?? ""), ExactText(writes.first?.taskPath ?? ""))
        var parsed: [PendingWrite] = []
        for (place, write) in writes.prefix(Self.maxWrites).enumerated() {
            let field = "writes[\(place)]"
            violations.check(
                ExactText(write.taskId) == firstTask && ExactText(write.taskPath) == firstPath, "\(field).task_id",
                "All writes of a call are of one task.")
            let task = violations.value("\(field).task_id", write.taskId) { given throws(InvalidValue) in try given.bounded(to: 128) }
            let path = violations.value("\(field).task_path", write.taskPath) { given throws(InvalidValue) in
                try given.bounded(to: 1_024, mayBeEmpty: true)
            }
            let channel = violations.value("\(field).channel", write.channel) { given throws(InvalidValue) in try given.bounded(to: 256) }
            violations.check((-1_000...1_000_000).contains(write.index), "\(field).index", "It must be -1000 to 1000000.")
            let value = violations.value("\(field).value", write.value) { value throws(InvalidValue) in
                guard let value else { throw InvalidValue("is needed") }
                return try TypedValue(checking: value.type, value.data)
            }
            if let task, let path, let channel, let value {
                parsed.append(PendingWrite(task: task, path: path, index: write.index, channel: channel, value: value))
            }
        }
        let (name, space, key) = try violations.complete(thread, namespace, id)
        guard let first = parsed.first else { throw RPCError(.invalidArgument, "A field of the request is missing.") }
        return (name, CheckpointKey(namespace: space, id: key), first.task, first.path, parsed)
    }
}

extension ChatV1.GetCheckpointRequest {
    func parsed() throws(RPCError) -> (thread: ThreadName, namespace: CheckpointNamespace, id: UUID?) {
        var violations = FieldViolations()
        let thread = violations.value("thread_id", threadId, ThreadName.init(_:))
        let namespace = violations.value("checkpoint_namespace", checkpointNamespace, CheckpointNamespace.init(_:))
        let id = violations.optional("checkpoint_id", checkpointId.isEmpty ? nil : checkpointId, UUID.init(checkpoint:))
        let (name, space) = try violations.complete(thread, namespace)
        return (name, space, id)
    }
}

extension ChatV1.ListCheckpointsRequest {
    func parsed() throws(RPCError) -> (thread: ThreadName?, list: CheckpointList) {
        var violations = FieldViolations()
        let thread = violations.optional("thread_id", threadId.isEmpty ? nil : threadId, ThreadName.init(_:))
        let namespace = violations.optional("checkpoint_namespace", checkpointNamespace, CheckpointNamespace.init(_:))
        let id = violations.optional("checkpoint_id", checkpointId.isEmpty ? nil : checkpointId, UUID.init(checkpoint:))
        let before = violations.optional(
            "before_checkpoint_id", beforeCheckpointId.isEmpty ? nil : beforeCheckpointId, UUID.init(checkpoint:))
        let filter = violations.optional(
            "metadata_filter", metadataFilter.isEmpty ? nil : metadataFilter, CheckpointMetadata.init(json:))
        let size = violations.pageSize(pageSize, usual: 20, most: 100)
        let place = pageToken.isEmpty ? nil : try CheckpointList.Place(PageToken(parsing: pageToken, parts: 3))
        let limit = try violations.complete(size)
        return (
            thread, CheckpointList(namespace: namespace, id: id, before: before, filter: filter, place: place, limit: limit)
        )
    }
}

extension ChatV1.DeleteThreadRequest {
    func parsed() throws(RPCError) -> ThreadName {
        var violations = FieldViolations()
        let thread = violations.value("thread_id", threadId, ThreadName.init(_:))
        return try violations.complete(thread)
    }
}

extension ChatV1.CopyThreadRequest {
    func parsed() throws(RPCError) -> (source: ThreadName, target: ThreadName) {
        var violations = FieldViolations()
        let source = violations.value("source_thread_id", sourceThreadId, ThreadName.init(_:))
        let target = violations.value("target_thread_id", targetThreadId, ThreadName.init(_:))
        return try violations.complete(source, target)
    }
}

extension ChatV1.PruneThreadsRequest {
    static let maxThreads = 100

    func parsed() throws(RPCError) -> (threads: [ThreadName], strategy: PruneStrategy) {
        var violations = FieldViolations()
        violations.check(
            threadIds.count <= Self.maxThreads, "thread_ids", "There may be \(Self.maxThreads) of them; there are \(threadIds.count).")
        var threads: [ThreadName] = []
        for (place, id) in threadIds.prefix(Self.maxThreads).enumerated() {
            if let thread = violations.value("thread_ids[\(place)]", id, ThreadName.init(_:)) { threads.append(thread) }
        }
        let strategy = violations.value("strategy", self.strategy) { given throws(InvalidValue) in
            switch given {
            case .keepLatest: return PruneStrategy.keepLatest
            case .delete: return PruneStrategy.delete
            case .unspecified, .unrecognized:
                throw InvalidValue(sentence: "It must be PRUNE_STRATEGY_KEEP_LATEST or PRUNE_STRATEGY_DELETE.")
            }
        }
        return (threads, try violations.complete(strategy))
    }
}

extension ChatV1.DeleteRunsRequest {
    static let maxRuns = 100

    func parsed() throws(RPCError) -> [String] {
        var violations = FieldViolations()
        violations.check(runIds.count <= Self.maxRuns, "run_ids", "There may be \(Self.maxRuns) of them; there are \(runIds.count).")
        var runs: [String] = []
        for (place, id) in runIds.prefix(Self.maxRuns).enumerated() {
            let run = violations.value("run_ids[\(place)]", id) { id throws(InvalidValue) in
                try id.bounded(to: CheckpointMetadata.maxRunCharacters)
            }
            if let run { runs.append(run) }
        }
        try violations.throwIfAny()
        return runs
    }
}

extension UUID {
    fileprivate init(checkpoint text: String) throws(InvalidValue) {
        guard let uuid = UUID(uuidString: text) else {
            throw InvalidValue(sentence: "It must be the id of a checkpoint, a UUID.")
        }
        self = uuid
    }
}

extension String {
    fileprivate func bounded(to characters: Int, mayBeEmpty: Bool = false) throws(InvalidValue) -> String {
        guard ((mayBeEmpty ? 0 : 1)...characters).contains(codePointCount) else {
            throw InvalidValue(sentence: "It must have \(mayBeEmpty ? "at most" : "1 to") \(characters) characters.")
        }
        return try withoutNUL()
    }
}

// MARK: - Page tokens

extension PageToken {
    init(behind checkpoint: KeptCheckpoint) {
        let row = checkpoint.row
        self.init([row.id.uuidString, String(row.thread), row.namespace])
    }
}

extension CheckpointList.Place {
    init(_ token: PageToken) throws(RPCError) {
        guard let id = UUID(uuidString: token.parts[0]), let thread = Int64(token.parts[1]), !token.parts[2].hasNUL else {
            throw PageToken.invalid
        }
        self.init(id: id, thread: thread, namespace: token.parts[2])
    }
}
