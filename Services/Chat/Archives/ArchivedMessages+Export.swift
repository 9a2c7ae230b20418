internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

extension RecordSource {
    /// The messages of a person's archived conversations, told as those that are not archived are: a line each. Of an archive that is damaged a line
    /// says so. Each page unpacks its archive again, so none is ever told in one piece.
    static func archivedMessages(of postgres: Postgres, mostBytes: Int = 1 << 20) -> RecordSource {
        RecordSource("archived_messages") { user, place in
            let place = try place.map(ArchivePlace.init(parsing:)) ?? ArchivePlace(sequence: 1, byte: 0)
            guard let found = try await postgres.first(.archive(of: user, from: place.sequence), identity: .user(user)) else {
                return RecordPage()
            }
            let behind = ArchivePlace(sequence: found.sequence + 1, byte: 0)
            let session = found.kept.archive.session.text
            let lines: [UInt8]
            do throws(ChatError) {
                lines = try ArchivedMessages.lines(of: found.kept.checked())
                // Each line has its end, so that what is told comes to an end too.
                guard lines.last ?? UInt8(ascii: "\n") == UInt8(ascii: "\n") else { throw .archiveDamaged }
            } catch {
                let line = #"{"type":"chat.damaged_archives","record":{"session_id":"\#(session)"}}"# + "\n"
                return RecordPage(content: Array(line.utf8), counts: ["chat.damaged_archives": 1], next: behind.text)
            }
            var rest = lines.dropFirst(found.sequence == place.sequence ? place.byte : 0)
            var page = RecordPage()
            let beginning = Array(#"{"type":"chat.archived_messages","record":{"session_id":"\#(session)","#.utf8)
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")), page.content.count < mostBytes {
                // Each line is an object that is not empty.
                page.content += beginning + rest[..<end].dropFirst() + Array("}\n".utf8)
                page.counts["chat.archived_messages", default: 0] += 1
                rest = rest[(end + 1)...]
            }
            page.next = (rest.isEmpty ? behind : ArchivePlace(sequence: found.sequence, byte: rest.startIndex)).text
            return page
        }
    }
}

/// Where the archived messages of a person go on: in which archive, at which byte of its lines.
private struct ArchivePlace {
    let sequence: Int64
    let byte: Int

    init(sequence: Int64, byte: Int) {
        self.sequence = sequence
        self.byte = byte
    }

    init(parsing text: String) throws(ExportError) {
        let parts = text.split(separator: " ")
        guard parts.count == 2, let sequence = Int64(parts[0]), let byte = Int(parts[1]), byte >= 0 else { throw .noSuchPlace }
        self.init(sequence: sequence, byte: byte)
    }

    var text: String { "\(sequence) \(byte)" }
}
