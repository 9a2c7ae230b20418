internal import Application
internal import Contracts
internal import FoundationEssentials
internal import Time

extension ChatV1.Memory {
    init(_ memory: Memory) throws {
        self.init(
            id: memory.id.text, category: .init(memory.category), content: memory.content,
            importance: memory.importance.value, metadata: try .kept(memory.metadata),
            sourceSessionId: memory.sourceSession?.text,
            sourceMessageId: memory.sourceMessage?.text, createdAt: .init(memory.createdAt),
            expiresAt: memory.expiresAt.map { .init($0) }, supersededAt: memory.supersededAt.map { .init($0) },
            supersededBy: memory.supersededBy?.text, modelId: memory.model)
    }
}

extension ChatV1.FoundMemory {
    init(_ found: FoundMemory) throws {
        self.init(
            memory: try .init(found.memory), score: found.score, relevance: found.relevance, recency: found.recency,
            rankByWords: found.rankByWords.map { Int32($0) }, rankByMeaning: found.rankByMeaning.map { Int32($0) },
            similarity: found.similarity)
    }
}

extension ChatV1.MemoryCategory {
    init(_ category: MemoryCategory) {
        self =
            switch category {
            case .medicalHistory: .medicalHistory
            case .medication: .medication
            case .allergy: .allergy
            case .symptom: .symptom
            case .lifestyle: .lifestyle
            case .preference: .preference
            case .goal: .goal
            case .family: .family
            case .other: .other
            }
    }
}

extension MemoryCategory {
    init(_ category: ChatV1.MemoryCategory) throws(InvalidValue) {
        switch category {
        case .medicalHistory: self = .medicalHistory
        case .medication: self = .medication
        case .allergy: self = .allergy
        case .symptom: self = .symptom
        case .lifestyle: self = .lifestyle
        case .preference: self = .preference
        case .goal: self = .goal
        case .family: self = .family
        case .other: self = .other
        case .unspecified, .unrecognized: throw InvalidValue(sentence: "It must be one of the categories that MemoryCategory names.")
        }
    }
}
