internal import FoundationEssentials
internal import LZ4
internal import Time

/// The messages of a session as its archive keeps them: a line of JSON for each, in their order, packed by LZ4.
enum ArchivedMessages {
    /// A session whose lines are longer stays in the tables.
    static let maxBytes = 64 << 20

    private struct Line: Codable {
        let id: UUID
        let sequence: Int64
        let role: String
        let content: String
        /// JSON as text, so that it comes out as it went in.
        let metadata: String
        let clientID: String
        let createdAt: Int64

        enum CodingKeys: String, CodingKey {
            case id, sequence, role, content, metadata
            case clientID = "client_id"
            case createdAt = "created_at_us"
        }
    }

    /// `nil` if they are too many for one archive.
    static func archive(
        _ messages: [ChatMessage], of session: SessionID, title: String, because reason: SessionArchive.Reason, retainUntil: CivilDate
    ) throws -> SessionArchive? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var lines: [UInt8] = []
        for message in messages {
            lines += try encoder.encode(
                Line(
                    id: message.id, sequence: message.sequence, role: message.speaker.rawValue, content: message.content,
                    metadata: message.metadata.json, clientID: message.clientID, createdAt: message.createdAt.microsecondsSinceEpoch))
            lines.append(UInt8(ascii: "\n"))
            guard lines.count <= maxBytes else { return nil }
        }
        let packed = LZ4.compress(lines.span)
        return SessionArchive(
            session: session.uuid, title: title, messageCount: Int64(messages.count), encoding: packed == nil ? .identity : .lz4,
            content: packed ?? lines, uncompressedBytes: Int64(lines.count), reason: reason, retainUntil: retainUntil)
    }

    /// Unpacked: a line of JSON for each message, with its end.
    ///
    /// Throws `ChatError.archiveDamaged` for what `archive` cannot have made.
    static func lines(of archive: SessionArchive) throws(ChatError) -> [UInt8] {
        guard archive.uncompressedBytes <= maxBytes else { throw .archiveDamaged }
        switch archive.encoding {
        case .identity: return archive.content
        case .lz4:
            do { return try LZ4.decompress(archive.content.span, count: Int(archive.uncompressedBytes)) } catch { throw .archiveDamaged }
        }
    }

    /// The messages with these sequences, in their order; all of them without any. Only those that are wanted are made values: a page of a long
    /// conversation costs a look for the ends of its lines, and not the whole of it each time.
    ///
    /// Throws `ChatError.archiveDamaged` for what `archive` cannot have made.
    static func messages(in archive: SessionArchive, _ wanted: ClosedRange<Int64>? = nil) throws(ChatError) -> [ChatMessage] {
        let all = try lines(of: archive).split(separator: UInt8(ascii: "\n"))
        guard Int64(all.count) == archive.messageCount else { throw .archiveDamaged }
        do {
            let decoder = JSONDecoder()
            var messages: [ChatMessage] = []
            for (place, line) in all.enumerated() where wanted?.contains(Int64(place) + 1) ?? true {
                let line = try decoder.decode(Line.self, from: Data(line))
                guard let speaker = Speaker(rawValue: line.role), line.sequence == Int64(place) + 1 else { throw ChatError.archiveDamaged }
                messages.append(
                    ChatMessage(
                        id: line.id, sessionID: SessionID(archive.session), sequence: line.sequence, speaker: speaker, content: line.content,
                        metadata: MessageMetadata(kept: line.metadata), clientID: line.clientID,
                        createdAt: Instant(microsecondsSinceEpoch: line.createdAt)))
            }
            return messages
        } catch {
            throw .archiveDamaged
        }
    }
}
