internal import Application
internal import FoundationEssentials
internal import Postgres

/// What LangGraph's agents keep: checkpoints of threads, and what tasks have written behind them.
///
/// PostgreSQL is the record: a call that returns has been committed there. Every statement runs as the person whose rows it touches, so a thread
/// of somebody else is none. What a call needs to read it reads before its transaction; the transaction takes the thread's lock and goes ahead
/// only if nothing was freed in between (the thread's epoch), so locks are held for a few round trips and never while Redis is asked.
struct CheckpointStore: Sendable {
    static let maxWritesOfTask = 16_384
    static let maxBytesOfTask = 16 << 20
    /// How often a call is begun anew because others changed the thread, before it says so.
    static let attempts = 5

    let postgres: Postgres
    let reader: SegmentReader
    /// What a checkpoint that is read has with all that was written behind it, at most: clients of ours take 64 MiB.
    var maxReadBytes = 60 << 20
    /// How many checkpoints are read at a time where all of a thread's are.
    var partSize = 2_000

    init(postgres: Postgres, hot: HotSegments) {
        self.postgres = postgres
        reader = SegmentReader(postgres: postgres, hot: hot)
    }

    var hot: HotSegments { reader.hot }

    /// What a row's range of stream 0 says: `.some(nil)` without a row, `nil` if the range is not there.
    static func record(_ row: CheckpointRow?, in bytes: StreamBytes) -> CheckpointRecord?? {
        guard let row else { return .some(nil) }
        guard let record = record(at: row.record, in: bytes) else { return nil }
        return .some(record)
    }

    /// What a range of stream 0 says; `nil` if it is not there.
    static func record(at range: StreamRange, in bytes: StreamBytes) -> CheckpointRecord? {
        guard let record = bytes.bytes(of: [.range(range)]) else { return nil }
        // Bytes whose digest held and that are no record have been freed since.
        do throws(UnreadableBytes) { return try CheckpointRecord(record) } catch { return nil }
    }

    /// What is not what this program writes has been damaged.
    static func reading<Value>(_ read: () throws(UnreadableBytes) -> Value) throws -> Value {
        do throws(UnreadableBytes) { return try read() } catch { throw CheckpointError.damaged }
    }
}
