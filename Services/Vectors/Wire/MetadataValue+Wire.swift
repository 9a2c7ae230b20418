internal import Application
internal import Contracts
internal import Filters
internal import Time

extension MetadataValue {
    init(checking value: VectorsV1.MetadataValue) throws(InvalidValue) {
        switch value.kind {
        case .text(let text): self = .text(text)
        case .number(let number):
            guard number.isFinite else { throw InvalidValue(sentence: "It must be a finite number.") }
            // One zero, as the column keeps it.
            self = .number(number + 0)
        case .boolean(let boolean): self = .boolean(boolean)
        case .time(let timestamp):
            guard let instant = Instant(timestamp) else {
                throw InvalidValue(sentence: "It must be a time between the years 1 and 9999.")
            }
            self = .time(instant.microsecondsSinceEpoch)
        case nil: throw InvalidValue(sentence: "It must be a text, a number, a boolean or a time.")
        }
    }
}

extension VectorsV1.MetadataValue {
    init(_ value: MetadataValue) {
        switch value {
        case .text(let text): self.init(kind: .text(text))
        case .number(let number): self.init(kind: .number(number))
        case .boolean(let boolean): self.init(kind: .boolean(boolean))
        case .time(let microseconds): self.init(kind: .time(.init(Instant(microsecondsSinceEpoch: microseconds))))
        }
    }
}

extension DocumentMetadata {
    /// The entries of both maps of a message, or `nil` once a violation has been noted.
    static func read(
        texts: [String: String], typed: [String: VectorsV1.MetadataValue], _ field: String, _ violations: inout FieldViolations
    ) -> DocumentMetadata? {
        var entries = texts.mapValues(MetadataValue.text)
        var isComplete = true
        // Not more than may be: an answer has a bound as well.
        for (key, given) in typed.sorted(by: { $0.key < $1.key }).prefix(DocumentMetadata.maxEntries + 1) {
            // A key of any length may come, and only short ones go back.
            let field = key.utf8.count <= 64 ? "\(field)typed_metadata[\"\(key)\"]" : "\(field)typed_metadata"
            let value = violations.value(field, given, MetadataValue.init(checking:))
            if entries.updateValue(value ?? .boolean(false), forKey: key) != nil {
                violations.add(field, "The key is in `metadata` as well.")
                isComplete = false
            }
            if value == nil { isComplete = false }
        }
        let metadata = violations.value("\(field)metadata", entries, DocumentMetadata.init(_:))
        return isComplete ? metadata : nil
    }

    /// The entries that are text.
    var texts: [String: String] {
        entries.compactMapValues { if case .text(let text) = $0 { text } else { nil } }
    }

    /// The entries that are no text.
    var typed: [String: VectorsV1.MetadataValue] {
        entries.compactMapValues { $0.kind == .text ? nil : .init($0) }
    }
}
