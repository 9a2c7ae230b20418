internal import Contracts
internal import FoundationEssentials
internal import Time

extension ChatV1.TypedValue {
    init(_ value: TypedValue) { self.init(type: value.type, data: value.data) }
}

extension ChatV1.Checkpoint {
    init(_ checkpoint: KeptCheckpoint) {
        let row = checkpoint.row
        self.init(
            threadId: row.threadName, checkpointNamespace: row.namespace, checkpointId: row.id.text,
            parentCheckpointId: row.parent?.text ?? "", content: .init(checkpoint.content),
            channels: checkpoint.channels.map { .init($0) }, metadata: row.metadata,
            pendingWrites: checkpoint.writes.map { .init($0) }, createdAt: .init(row.createdAt))
    }
}

extension ChatV1.CheckpointChannel {
    init(_ channel: KeptCheckpoint.Channel) {
        self.init(
            name: channel.name, version: channel.version, value: channel.value.map { .init($0) }, isEmpty: channel.value == nil)
    }
}

extension ChatV1.CheckpointWrite {
    init(_ write: PendingWrite) {
        self.init(
            taskId: write.task, taskPath: write.path, index: write.index, channel: write.channel, value: .init(write.value))
    }
}
