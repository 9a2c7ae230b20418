internal import Application
internal import FoundationEssentials
internal import Postgres

/// Reads ranges of a thread's streams: from Redis where it has them, otherwise from the table, which is the record.
///
/// A segment is asked for by its digest and taken only if its bytes have that digest. So Redis can be slow, empty, full or wrong, and
/// nothing but time is lost; what it lacks or has wrong is put there anew.
struct SegmentReader: Sendable {
    let postgres: Postgres
    let hot: HotSegments

    /// The bytes of these ranges, as far as they are there.
    func bytes(of ranges: [StreamRange], in thread: Int64, of user: UUID) async throws -> StreamBytes {
        let ranges = Self.merged(ranges)
        guard !ranges.isEmpty else { return StreamBytes([]) }
        let heads = try await postgres.rows(.heads(of: ranges, in: thread, of: user), identity: .user(user))
        var found: [(head: SegmentHead, bytes: [UInt8])] = []
        var missing: [SegmentHead] = []
        var damaged = 0
        for (head, content) in zip(heads, await hot.contents(of: heads.map(\.digest), in: thread, of: user)) {
            if let content, let bytes = Segment(head: head, content: content).bytes {
                found.append((head, bytes))
            } else {
                missing.append(head)
                if content != nil { damaged += 1 }
            }
        }
        if damaged > 0 { hot.noteDamaged(damaged) }
        if !missing.isEmpty {
            let segments = try await postgres.rows(.segments(missing, of: thread, user), identity: .user(user))
            for segment in segments {
                guard let bytes = segment.bytes else { throw CheckpointError.damaged }
                found.append((segment.head, bytes))
            }
            await hot.keep(segments, of: thread, user)
        }
        return StreamBytes(found)
    }

    /// Fewer ranges that cover the same, with little besides: segments are read whole anyway.
    static func merged(_ ranges: [StreamRange]) -> [StreamRange] {
        var merged: [StreamRange] = []
        for range in ranges.sorted(by: { ($0.stream, $0.position) < ($1.stream, $1.position) }) {
            if let last = merged.last, last.stream == range.stream, range.position <= last.end + Int64(Segment.maxBytes / 4) {
                let end = max(last.end, range.end)
                merged[merged.count - 1] = StreamRange(
                    stream: last.stream, position: last.position, count: Int(end - last.position))
            } else {
                merged.append(range)
            }
        }
        return merged
    }
}
