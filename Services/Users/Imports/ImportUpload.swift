internal import FoundationEssentials

/// One sender's stream of a file's bytes. Small messages are gathered, so that a file that comes byte by byte is not a row of the database each.
///
/// What was gathered is kept before anything is answered, and before a message is looked at that does not go on where it ends; so who sends
/// hears the same as if each message were kept by itself. Only what was gathered when the stream broke off has to be sent again.
struct ImportUpload {
    let imports: ImportRepository
    let user: UserID
    /// As it was when something was kept last.
    private(set) var job: Import?
    private var gathered: [UInt8] = []

    static let mostGathered = 256 << 10

    init(to imports: ImportRepository, of user: UserID) {
        (self.imports, self.user) = (imports, user)
    }

    /// Takes the bytes of a message. Throws as `ImportRepository.write` does.
    mutating func take(_ content: [UInt8], at offset: Int64, to id: UUID) async throws {
        if rest(of: content, at: offset, to: id) == nil { try await keep() }
        guard let new = rest(of: content, at: offset, to: id) else {
            job = try await imports.write(content, at: offset, to: id, of: user)
            return
        }
        gathered += new
        if gathered.count >= Self.mostGathered || end == job?.byteCount { try await keep() }
    }

    /// Keeps what was gathered.
    mutating func keep() async throws {
        guard let job, !gathered.isEmpty else { return }
        let content = gathered
        // Tried once: a caller that goes on after a failure would leave a gap.
        gathered = []
        self.job = try await imports.write(content, at: job.receivedByteCount, to: job.id, of: user)
    }

    /// Behind what was gathered; `nil` before the first message.
    private var end: Int64? { job.map { $0.receivedByteCount + Int64(gathered.count) } }

    /// What a message has beyond the bytes that have come; `nil` if it does not go on where they end, or is more than one row takes with them.
    private func rest(of content: [UInt8], at offset: Int64, to id: UUID) -> ArraySlice<UInt8>? {
        guard let job, let end, job.id == id, job.state == .uploading, offset <= end, offset + Int64(content.count) <= job.byteCount else { return nil }
        let new = content.dropFirst(Int(end - offset))
        return gathered.count + new.count <= Import.mostBytesAtOnce ? new : nil
    }
}
