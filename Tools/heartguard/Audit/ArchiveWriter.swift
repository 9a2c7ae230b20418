internal import Audit
internal import Crypto
internal import Foundation
internal import JSON
internal import Time

/// Writes an archive of the audit log: JSON Lines, with the name that the file is to have once it is whole and on the disk.
///
/// The first line says what it is. Then each event has one, an array of what the log has of it, in the order of the log, chain by chain. The last is
/// a manifest: how many events and chains there are, and the SHA-256 of all lines before it.
final class ArchiveWriter {
    static let format = "heartguard-audit/1"
    static let columns = [
        "writer", "sequence", "previous_hash", "hash", "occurred_at", "user_id", "actor_id", "actor_kind", "program", "service", "method", "action",
        "resource_id", "purpose", "status", "trace_id", "request_id",
    ]

    private let before: Instant
    private var file: PartialFile?
    private var digest = SHA256()
    /// The chain of the last event that was written, and that of the last which was too young.
    private var chain: UUID?
    private var closed: UUID?
    private(set) var events = 0
    private(set) var chains = 0

    /// - Parameter file: none, to count what would be written.
    init(_ file: URL?, before: Instant) throws {
        self.before = before
        self.file = try file.map { try PartialFile($0, isPrivate: true) }
        let columns = Self.columns.map { "\"\($0)\"" }.joined(separator: ",")
        try write(#"{"audit":{"format":"\#(Self.format)","before":"\#(before.rfc3339)","columns":[\#(columns)]}}"#)
    }

    /// Writes the event, unless it is too young or one before it in its chain was: what leaves a chain is its beginning.
    func take(_ event: RecordedEvent) throws {
        guard event.writer != closed else { return }
        guard event.event.occurredAt < before else {
            closed = event.writer
            return
        }
        if event.writer != chain { chains += 1 }
        chain = event.writer
        events += 1
        try write(event.archived)
    }

    func finish() throws {
        let sha256 = digest.finalize().hexadecimal
        try write(#"{"manifest":{"events":\#(events),"chains":\#(chains),"sha256":"\#(sha256)"}}"#)
        try file?.finish(replacing: false)
    }

    /// Leaves nothing of a file that is not whole.
    func remove() { file?.remove() }

    private func write(_ line: String) throws {
        let bytes = Array(line.utf8) + [UInt8(ascii: "\n")]
        digest.update(data: bytes)
        try file?.write(bytes)
    }
}

extension RecordedEvent {
    /// In the order of `ArchiveWriter.columns`.
    fileprivate var archived: String {
        let values: [String] = [
            writer.text.json, "\(sequence)", previousHash.hexadecimal.json, hash.hexadecimal.json, event.occurredAt.rfc3339.json,
            event.person.json, event.actor.json, event.actorKind.rawValue.json, event.program?.json ?? "null", event.service.json, event.method.json,
            event.action.rawValue.json, event.resource.json, event.purpose.rawValue.json, event.status.map { "\($0)" } ?? "null", event.trace.text.json,
            event.request.json,
        ]
        return "[\(values.joined(separator: ","))]"
    }
}

extension Optional where Wrapped == UUID {
    fileprivate var json: String { self?.text.json ?? "null" }
}

extension String {
    fileprivate var json: String {
        var json: [UInt8] = []
        json.append(json: Array(utf8)[...])
        return String(decoding: json, as: UTF8.self)
    }
}
