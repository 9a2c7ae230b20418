internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time

/// A service that keeps people's records, and how it is asked to tell them.
struct RecordTeller: Sendable {
    let name: String
    /// A part, behind the place that the part before it gave.
    let tell: @Sendable (_ user: UUID, _ format: RecordFormat, _ place: String?) async throws -> RecordPage

    init(name: String, tell: @escaping @Sendable (UUID, RecordFormat, String?) async throws -> RecordPage) {
        self.name = name
        self.tell = tell
    }

    /// Another service, asked by its contract.
    init(_ name: String, at channel: RPCChannel) {
        let client = ExportV1.ExportServiceClient(channel)
        self.init(name: name) { user, format, place in
            let answer = try await client.exportRecords(
                .init(userId: user.text, format: format.message, after: place ?? ""))
            return RecordPage(
                content: answer.content, counts: Dictionary(answer.counts.map { ($0.type, $0.count) }, uniquingKeysWith: +),
                next: answer.next.isEmpty ? nil : answer.next)
        }
    }

    /// This service.
    init(_ name: String, _ records: RecordExport) {
        self.init(name: name) { user, format, place in try await records.part(of: user, as: format, after: place) }
    }
}
