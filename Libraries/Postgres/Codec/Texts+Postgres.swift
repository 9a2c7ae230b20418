extension String: PostgresCodable {
    package static var postgresType: PostgresType { .text }

    package func encode(into buffer: inout [UInt8]) { buffer.append(contentsOf: utf8) }

    package init(postgres bytes: Span<UInt8>, type: PostgresType) throws(DecodingFailure) {
        guard type.isTextual else { throw .mismatch(type, String.self) }
        self = try decodeUTF8(bytes, type)
    }
}

/// JSON as text, for `jsonb` columns; also read from `json`. Its content is checked by the server.
package struct JSONB: PostgresCodable, Hashable, CustomStringConvertible {
    package var text: String

    package init(_ text: String) { self.text = text }

    package static var postgresType: PostgresType { .jsonb }
    package var description: String { text }

    /// The binary form is a version, which has always been 1, and the text (`jsonb_recv`).
    package func encode(into buffer: inout [UInt8]) {
        buffer.append(1)
        buffer.append(contentsOf: text.utf8)
    }

    package init(postgres bytes: Span<UInt8>, type: PostgresType) throws(DecodingFailure) {
        switch type {
        case .json: text = try decodeUTF8(bytes, type)
        case .jsonb:
            guard bytes.count >= 1, bytes[0] == 1 else { throw .malformed(type) }
            text = try decodeUTF8(bytes.extracting(1..<bytes.count), type)
        default: throw .mismatch(type, JSONB.self)
        }
    }
}

private func decodeUTF8(_ bytes: Span<UInt8>, _ type: PostgresType) throws(DecodingFailure) -> String {
    guard let text = try? UTF8Span(validating: bytes) else {
        // The reason is the same whatever the validation's error was: these bytes are no text.
        throw DecodingFailure("does not hold UTF-8")
    }
    return String(copying: text)
}
