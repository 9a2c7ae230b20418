internal import Application
internal import FoundationEssentials
internal import JSON
internal import Postgres
internal import Time

/// What an agent calls one of its conversations. Two people's threads may share a name and nothing else.
struct ThreadName: Hashable, Sendable {
    static let maxCharacters = 255

    let text: String

    init(_ text: String) throws(InvalidValue) {
        guard (1...Self.maxCharacters).contains(text.codePointCount) else {
            throw InvalidValue(sentence: "It must have 1 to \(Self.maxCharacters) characters.")
        }
        self.text = try text.withoutNUL()
    }

    /// What the table returned.
    init(kept text: String) { self.text = text }
}

/// The graph or subgraph that a checkpoint is of. Two of them are the same if they are to the table: by their bytes.
struct CheckpointNamespace: Hashable, Sendable {
    static let maxCharacters = 1_024
    /// What an index holds beside the other columns of its keys.
    static let maxBytes = 2_048

    private let exact: ExactText
    var text: String { exact.text }

    init(_ text: String) throws(InvalidValue) {
        guard text.codePointCount <= Self.maxCharacters else {
            throw InvalidValue(sentence: "It must have at most \(Self.maxCharacters) characters.")
        }
        guard text.utf8.count <= Self.maxBytes else {
            throw InvalidValue(sentence: "It must take at most 2 KiB; it takes \(text.utf8.count) bytes.")
        }
        exact = ExactText(try text.withoutNUL())
    }

    /// What the table returned.
    init(kept text: String) { exact = ExactText(text) }
}

/// What the agent's serialiser made of something: a name for the form, and bytes that nobody here looks into.
struct TypedValue: Hashable, Sendable {
    static let maxTypeCharacters = 64
    static let maxBytes = 3 << 20

    let type: String
    let data: [UInt8]

    init(type: String, data: [UInt8]) {
        self.type = type
        self.data = data
    }

    init(checking type: String, _ data: [UInt8], most maxBytes: Int = Self.maxBytes) throws(InvalidValue) {
        guard type.codePointCount <= Self.maxTypeCharacters else {
            throw InvalidValue(sentence: "Its type must have at most \(Self.maxTypeCharacters) characters.")
        }
        guard data.count <= maxBytes else {
            throw InvalidValue(sentence: "It must take at most \(maxBytes) bytes; it takes \(data.count).")
        }
        self.init(type: type, data: data)
    }
}

/// What is known of a checkpoint besides its state: one JSON object, by which checkpoints are chosen.
struct CheckpointMetadata: Hashable, Sendable {
    static let maxBytes = 16 << 10
    /// Of its run_id, which is in an index.
    static let maxRunCharacters = 255

    let json: String

    init(json: String) throws(InvalidValue) {
        guard json.utf8.count <= Self.maxBytes else {
            throw InvalidValue(sentence: "It must take at most 16 KiB; it takes \(json.utf8.count) bytes.")
        }
        let text = json.isEmpty ? "{}" : json
        let object: JSONValue
        do throws(JSONSyntaxError) {
            object = try JSONParser.parse(Array(text.utf8))
        } catch {
            throw InvalidValue(sentence: "It must be a JSON object. \(error.sentence)")
        }
        guard case .object(let members) = object else { throw InvalidValue(sentence: "It must be a JSON object.") }
        // jsonb cannot hold it.
        guard !object.hasNUL else { throw InvalidValue(sentence: "It must not hold a NUL character.") }
        // jsonb tells numbers without exponents: 1e131000 as that many digits.
        guard text.utf8.count + object.digitsOfExponents <= Self.maxBytes else {
            throw InvalidValue(sentence: "It must take at most 16 KiB with its numbers written out.")
        }
        guard members.allSatisfy({ $0.name != "run_id" || $0.value.isShort(Self.maxRunCharacters) }) else {
            throw InvalidValue(sentence: "Its run_id must be a text of at most \(Self.maxRunCharacters) characters.")
        }
        self.json = text
    }

    /// What the table returned.
    init(kept json: String) { self.json = json }
}

extension JSONValue {
    fileprivate var hasNUL: Bool {
        switch self {
        case .string(let text): text.hasNUL
        case .array(let values): values.contains { $0.hasNUL }
        case .object(let members): members.contains { $0.name.hasNUL || $0.value.hasNUL }
        case .null, .bool, .number: false
        }
    }

    /// Whether it is one value, of at most so many characters.
    fileprivate func isShort(_ characters: Int) -> Bool {
        switch self {
        case .string(let text): text.codePointCount <= characters
        case .number(let digits): digits.count + digitsOfExponents <= characters
        case .null, .bool: true
        case .array, .object: false
        }
    }

    /// How many digits its numbers have more once they are written without exponents, at most; of each no more than metadata may have bytes.
    fileprivate var digitsOfExponents: Int {
        switch self {
        case .number(let digits):
            guard let sign = digits.firstIndex(where: { $0 == "e" || $0 == "E" }) else { return 0 }
            let exponent = Int(digits[digits.index(after: sign)...])
            return Int(min(exponent?.magnitude ?? .max, UInt(CheckpointMetadata.maxBytes)))
        case .array(let values): return values.reduce(0) { $0 + $1.digitsOfExponents }
        case .object(let members): return members.reduce(0) { $0 + $1.value.digitsOfExponents }
        case .null, .bool, .string: return 0
        }
    }
}

/// Names one checkpoint of a thread.
struct CheckpointKey: Hashable, Sendable {
    let namespace: CheckpointNamespace
    let id: UUID
}

/// A checkpoint that is to be kept.
struct NewCheckpoint: Sendable {
    static let maxChannels = 256
    static let maxContentBytes = 256 << 10
    /// All values together, the ones that were kept before too: what one answer can carry.
    static let maxStateBytes = 16 << 20

    enum Value: Hashable, Sendable {
        case new(TypedValue)
        case empty
        /// As it was kept for this version.
        case kept
    }

    struct Channel: Hashable, Sendable {
        let name: String
        let version: String
        let value: Value
    }

    let thread: ThreadName
    let key: CheckpointKey
    let parent: UUID?
    let content: TypedValue
    let channels: [Channel]
    let metadata: CheckpointMetadata
}

/// Something that a task has written towards the step behind a checkpoint.
struct PendingWrite: Hashable, Sendable {
    let task: String
    let path: String
    let index: Int32
    let channel: String
    let value: TypedValue
}
