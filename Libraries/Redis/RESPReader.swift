internal import CHiredis

/// Reads replies from bytes as they come, by hiredis' `redisReader`: bytes in, values out, no I/O.
///
/// hiredis splits the bytes; what it finds becomes Swift values in `RESPAssembler`. Its own reply objects are not
/// used: they allocate an array as soon as its length is announced, however large, and abort the process if that fails.
@safe
struct RESPReader: ~Copyable {
    /// What is wrong with the bytes. The reader, and the connection with it, is of no more use afterwards.
    struct Violation: Error, CustomStringConvertible {
        let description: String
    }

    private let reader: UnsafeMutablePointer<redisReader>
    /// Reached from C through the reader's `privdata`, and kept alive here.
    private let assembler: RESPAssembler
    private let maxReplyBytes: Int
    /// Bytes that have come since the last complete reply.
    private var pendingBytes = 0

    /// `nil` if hiredis could not allocate a reader.
    init?(maxReplyBytes: Int) {
        guard let reader = unsafe redisReaderCreateWithFunctions(Self.functions) else { return nil }
        unsafe self.reader = reader
        assembler = RESPAssembler()
        self.maxReplyBytes = maxReplyBytes
        unsafe reader.pointee.privdata = Unmanaged.passUnretained(assembler).toOpaque()
    }

    deinit { unsafe redisReaderFree(reader) }

    /// Takes bytes in; `next` gives what they complete. Costs a copy.
    mutating func feed(_ bytes: RawSpan) throws(Violation) {
        let code = unsafe bytes.withUnsafeBytes { bytes in
            unsafe redisReaderFeed(reader, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
        }
        pendingBytes += bytes.byteCount
        guard code == REDIS_OK else { throw violation() }
    }

    /// The next complete reply, or nil until more bytes have been fed.
    mutating func next() throws(Violation) -> RESPValue? {
        var reply: UnsafeMutableRawPointer?
        guard unsafe redisReaderGetReply(reader, &reply) == REDIS_OK else { throw violation() }
        guard unsafe reply != nil else {
            guard pendingBytes <= maxReplyBytes else {
                throw Violation(description: "a reply has more than \(maxReplyBytes) bytes")
            }
            return nil
        }
        pendingBytes = unsafe reader.pointee.len - reader.pointee.pos
        guard let value = assembler.take() else {
            throw Violation(description: "a reply ended before its elements did")
        }
        return value
    }

    /// hiredis' own sentence; it quotes one byte of the input at most.
    private func violation() -> Violation {
        let text = unsafe withUnsafeBytes(of: &reader.pointee.errstr) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return Violation(description: text.isEmpty ? "hiredis failed without a reason" : text)
    }
}

extension RESPReader {
    /// The callbacks, for all readers and the life of the process. Each one appends what was read, and answers with
    /// an address that only says "not null": hiredis hands it back and we never look at it.
    private nonisolated(unsafe) static let functions: UnsafeMutablePointer<redisReplyObjectFunctions> = {
        let functions = UnsafeMutablePointer<redisReplyObjectFunctions>.allocate(capacity: 1)
        unsafe functions.initialize(
            to: redisReplyObjectFunctions(
                createString: { task, text, count in
                    let bytes = unsafe UnsafeRawBufferPointer(start: text, count: count)
                    return switch unsafe task?.pointee.type {
                    case REDIS_REPLY_STATUS:
                        unsafe append(.value(.status(String(decoding: bytes, as: UTF8.self))), for: task)
                    case REDIS_REPLY_ERROR:
                        unsafe append(
                            .value(.error(RESPError(line: String(decoding: bytes, as: UTF8.self)))), for: task)
                    default:
                        unsafe append(.value(.bytes([UInt8](bytes))), for: task)
                    }
                },
                createArray: { task, count in unsafe append(.array(count: Int(count)), for: task) },
                createInteger: { task, value in unsafe append(.value(.integer(Int64(value))), for: task) },
                createNil: { task in unsafe append(.value(.null), for: task) },
                freeObject: { _ in }))
        return unsafe functions
    }()

    private static func append(
        _ event: RESPAssembler.Event, for task: UnsafePointer<redisReadTask>?
    ) -> UnsafeMutableRawPointer? {
        guard let context = unsafe task?.pointee.privdata else { return nil }
        unsafe Unmanaged<RESPAssembler>.fromOpaque(context).takeUnretainedValue().append(event)
        return unsafe context
    }
}
