internal import Audit
internal import Crypto
internal import Foundation
internal import JSON
internal import Time

/// Reads an archive of the audit log, an event at a time, and believes nothing of it: what is wrong with the file ends it and is told, and what is wrong
/// with an event shows in its hash.
final class ArchiveReader {
    /// What is wrong with the file, once that was found.
    private(set) var problem: String?
    /// What it holds, once it was read to its end and nothing was wrong.
    private(set) var archive: AuditArchive?

    private let path: String
    private let before: Instant
    private let bytes: FileBytes
    private var digest = SHA256()
    private var last: AuditHead?
    private var events = 0
    private var chains = 0

    private static let mostLineBytes = 1 << 20

    /// Reads the first line.
    init(_ file: URL) throws {
        let bytes = try FileBytes(file)
        // What is longer, or no JSON, is no such file either, and is said so.
        let first = (try? bytes.line(most: 4_096)) ?? []
        let head = (try? JSONParser.parse(first))?["audit"]
        guard head?["format"]?.text == ArchiveWriter.format, let before = head?["before"]?.text.flatMap(Instant.init(rfc3339:)) else {
            throw CommandFailure("\(file.path) is no archive of the audit log (\(ArchiveWriter.format)).")
        }
        path = file.path
        self.before = before
        self.bytes = bytes
        take(first)
    }

    /// The next event; `nil` behind the last, and where something is wrong.
    func next() -> RecordedEvent? {
        guard problem == nil, archive == nil else { return nil }
        do {
            return try read()
        } catch {
            problem = "\(path): \(error)"
            return nil
        }
    }

    private func read() throws -> RecordedEvent? {
        guard let line = try bytes.line(most: Self.mostLineBytes) else {
            throw CommandFailure("it ends behind \(events.shown) events without its manifest; it was cut off")
        }
        // What is no JSON is no event either.
        let value = try? JSONParser.parse(line)
        if let manifest = value?["manifest"] {
            try finish(manifest, line)
            return nil
        }
        guard let event = value.flatMap(RecordedEvent.init(archived:)) else { throw CommandFailure("line \((events + 2).shown) is no event; it was changed") }
        let follows = last.map { $0.writer == event.writer ? $0.sequence < event.sequence : $0.writer < event.writer } ?? true
        guard follows else { throw CommandFailure("line \((events + 2).shown) is not in the order of the log; it was changed") }
        take(line)
        if last?.writer != event.writer { chains += 1 }
        last = AuditHead(writer: event.writer, sequence: event.sequence, hash: event.hash)
        events += 1
        return event
    }

    private func finish(_ manifest: JSONValue, _ line: [UInt8]) throws {
        let sha256 = digest.finalize().hexadecimal
        take(line)
        guard manifest["events"]?.integer == Int64(events), manifest["chains"]?.integer == Int64(chains), manifest["sha256"]?.text == sha256 else {
            throw CommandFailure("it does not hold what its manifest says; it was changed")
        }
        guard try bytes.line(most: Self.mostLineBytes) == nil else { throw CommandFailure("there is more behind its manifest; it was changed") }
        archive = AuditArchive(sha256: Array(digest.finalize()), before: before, events: events, chains: chains)
    }

    private func take(_ line: [UInt8]) {
        digest.update(data: line)
        digest.update(data: [UInt8(ascii: "\n")])
    }
}

extension RecordedEvent {
    /// Of an array in the order of `ArchiveWriter.columns`. `nil` for what is none.
    fileprivate init?(archived value: JSONValue) {
        guard case .array(let values) = value, values.count == ArchiveWriter.columns.count,
            let writer = values[0].id, let sequence = values[1].integer,
            let previousHash = values[2].text.flatMap({ AuditHead.hash(ofDigits: $0) }),
            let hash = values[3].text.flatMap({ AuditHead.hash(ofDigits: $0) }),
            let moment = values[4].text.flatMap(Instant.init(rfc3339:)),
            let kind = values[7].text.flatMap(AuditEvent.ActorKind.init(rawValue:)),
            let service = values[9].text, let method = values[10].text,
            let action = values[11].text.flatMap(AuditEvent.Action.init(rawValue:)),
            let purpose = values[13].text.flatMap(PurposeOfUse.init(rawValue:)),
            let trace = values[15].id, let request = values[16].text
        else { return nil }
        let event = AuditEvent(
            occurredAt: moment, person: values[5].id, actor: values[6].id, actorKind: kind, program: values[8].text, service: service, method: method,
            action: action, resource: values[12].id, purpose: purpose, status: values[14].integer.flatMap { Int16(exactly: $0) }, trace: trace,
            request: request)
        self.init(writer: writer, sequence: sequence, event: event, previousHash: previousHash, hash: hash)
    }
}

extension JSONValue {
    fileprivate subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    fileprivate var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    fileprivate var integer: Int64? {
        guard case .number(let digits) = self else { return nil }
        return Int64(digits)
    }

    fileprivate var id: UUID? { text.flatMap(UUID.init(uuidString:)) }
}
