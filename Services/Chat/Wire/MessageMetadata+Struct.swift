internal import Contracts

extension MessageMetadata {
    /// The JSON object that the message stands for; an absent one is empty.
    init(_ metadata: GoogleProtobuf.Struct?) throws(BrokenRule) {
        guard let metadata, !metadata.fields.isEmpty else {
            self = .none
            return
        }
        guard let text = metadata.json().text else { throw BrokenRule("It holds a number that JSON cannot express.") }
        try self.init(json: text)
    }
}
