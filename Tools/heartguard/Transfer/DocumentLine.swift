internal import Contracts
internal import Foundation
internal import Time

/// A line of JSON Lines: a document, or what stands beside a vector of another file. Texts, numbers and booleans of its metadata
/// are as JSON has them, and a time is `{"time": "2026-02-21T08:30:00Z"}`.
struct DocumentLine: Codable, Sendable {
    static let maxBytes = 1 << 20

    var id: String
    /// None in a file beside another.
    var embedding: [Float]?
    var content: String?
    var metadata: [String: Value]?

    enum Value: Codable, Sendable, Equatable {
        case text(String)
        case number(Double)
        case boolean(Bool)
        case time(Instant)

        private enum CodingKeys: String, CodingKey {
            case time
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            // What is of another type throws; the last attempt's error is the one that counts.
            if let text = try? container.decode(String.self) {
                self = .text(text)
            } else if let boolean = try? container.decode(Bool.self) {
                self = .boolean(boolean)
            } else if let number = try? container.decode(Double.self) {
                self = .number(number)
            } else {
                let time = try decoder.container(keyedBy: CodingKeys.self)
                guard let instant = Instant(rfc3339: try time.decode(String.self, forKey: .time)) else {
                    throw DecodingError.dataCorruptedError(forKey: .time, in: time, debugDescription: "no RFC 3339 time")
                }
                self = .time(instant)
            }
        }

        func encode(to encoder: any Encoder) throws {
            switch self {
            case .text(let text): try text.encode(to: encoder)
            case .number(let number): try number.encode(to: encoder)
            case .boolean(let boolean): try boolean.encode(to: encoder)
            case .time(let instant):
                var container = encoder.container(keyedBy: CodingKeys.self)
                try container.encode(instant.rfc3339, forKey: .time)
            }
        }
    }

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case id, embedding, content, metadata
    }

    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(id: String, embedding: [Float]?, content: String?, metadata: [String: Value]?) {
        (self.id, self.embedding, self.content, self.metadata) = (id, embedding, content, metadata)
    }

    init(from decoder: any Decoder) throws {
        let known = Set(CodingKeys.allCases.map(\.rawValue))
        let all = try decoder.container(keyedBy: AnyKey.self)
        if let other = all.allKeys.first(where: { !known.contains($0.stringValue) }) {
            throw DecodingError.dataCorruptedError(forKey: other, in: all, debugDescription: "unknown")
        }
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decode(String.self, forKey: .id)
        embedding = try container.decodeIfPresent([Float].self, forKey: .embedding)
        content = try container.decodeIfPresent(String.self, forKey: .content)
        metadata = try container.decodeIfPresent([String: Value].self, forKey: .metadata)
    }

    /// Throws a `CommandFailure` that names the field and quotes nothing.
    init(_ line: [UInt8]) throws {
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(line))
        } catch let error as DecodingError {
            throw CommandFailure(Self.sentence(error))
        }
    }

    private static func sentence(_ error: DecodingError) -> String {
        func field(_ path: [any CodingKey]) -> String {
            path.reduce("") { text, key in
                if let place = key.intValue { "\(text)[\(place)]" } else { text.isEmpty ? key.stringValue : "\(text).\(key.stringValue)" }
            }
        }
        switch error {
        case .keyNotFound(let key, let context): return "the field \(field(context.codingPath + [key])) is missing."
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            return context.codingPath.isEmpty ? "it is no JSON object." : "the field \(field(context.codingPath)) is of another type than it must be."
        case .dataCorrupted(let context) where !context.codingPath.isEmpty:
            let name = field(context.codingPath)
            return context.debugDescription == "unknown"
                ? "the field \(name) is none of id, embedding, content and metadata." : "the field \(name) cannot be read."
        default: return "it is no JSON."
        }
    }

    /// As one line, its keys in the order of their names, so that the same document is the same line.
    func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(self)) + [UInt8(ascii: "\n")]
    }
}

extension VectorsV1.Document {
    init(_ line: DocumentLine, embedding: [Float]) {
        self.init(id: line.id, content: line.content ?? "", embedding: embedding)
        for (key, value) in line.metadata ?? [:] {
            switch value {
            case .text(let text): metadata[key] = text
            case .number(let number): typedMetadata[key] = .init(kind: .number(number))
            case .boolean(let boolean): typedMetadata[key] = .init(kind: .boolean(boolean))
            case .time(let instant): typedMetadata[key] = .init(kind: .time(.init(instant)))
            }
        }
    }
}

extension DocumentLine {
    /// - Parameter hasEmbedding: whether the embedding stands in the line too.
    init(_ document: VectorsV1.Document, hasEmbedding: Bool) {
        var metadata = document.metadata.mapValues(Value.text)
        for (key, value) in document.typedMetadata {
            switch value.kind {
            case .number(let number): metadata[key] = .number(number)
            case .boolean(let boolean): metadata[key] = .boolean(boolean)
            case .time(let timestamp): metadata[key] = Instant(timestamp).map(Value.time)
            case .text(let text): metadata[key] = .text(text)
            case nil: break
            }
        }
        self.init(
            id: document.id, embedding: hasEmbedding ? document.embedding : nil, content: document.content,
            metadata: metadata.isEmpty ? nil : metadata)
    }
}
