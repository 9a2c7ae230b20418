internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC

extension MessageMetadata {
    /// JSONDecoder reads 512 levels; what is written must be readable, by other programs too.
    private static let mostLevels = 100

    /// The JSON object that the message stands for; an absent one is empty.
    init(_ metadata: GoogleProtobuf.Struct?) throws(InvalidValue) {
        guard let metadata, !metadata.fields.isEmpty else {
            self = .none
            return
        }
        let node = JSONNode.object(metadata.fields.mapValues { JSONNode($0) })
        guard node.levels <= Self.mostLevels else {
            throw InvalidValue(sentence: "It must be nested at most \(Self.mostLevels) deep.")
        }
        // jsonb cannot hold it.
        guard !node.hasNUL else { throw InvalidValue(sentence: "It must not hold a NUL character.") }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        guard let data = try? encoder.encode(node) else {
            // The encoder's only complaint is about what JSON has no word for.
            throw InvalidValue(sentence: "It holds a number that JSON cannot express.")
        }
        try self.init(json: String(decoding: data, as: UTF8.self))
    }
}

extension GoogleProtobuf.Struct {
    /// What was kept; `nil` if it is empty, as if it had been left out.
    static func kept(_ metadata: MessageMetadata) throws -> GoogleProtobuf.Struct? {
        guard !metadata.isEmpty else { return nil }
        do {
            let fields = try JSONDecoder().decode([String: JSONNode].self, from: Data(metadata.json.utf8))
            return GoogleProtobuf.Struct(fields: fields.mapValues(\.message))
        } catch {
            // Not passed on as a cause: the decoder's error may quote what it read.
            throw RPCError(.dataLoss, "The metadata of a message cannot be read.")
        }
    }
}
