internal import Application
internal import Contracts
internal import Time

extension VectorsV1.Memory {
    init(_ memory: KeptMemory) {
        let note = memory.note
        self.init(
            id: note.id.text, content: note.content.text, memoryType: note.type.text, importance: note.importance.value,
            expiresAt: note.expiresAt.map { .init($0) }, metadata: note.metadata.texts, typedMetadata: note.metadata.typed,
            createdAt: .init(memory.createdAt), updatedAt: .init(memory.updatedAt))
    }
}
