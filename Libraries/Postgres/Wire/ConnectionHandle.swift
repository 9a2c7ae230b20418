internal import CPostgres

/// Owns one `PGconn` in non-blocking mode; the only place that calls libpq's connection functions.
///
/// libpq's manual (34.20): "One restriction is that no two threads attempt to manipulate the same PGconn object at the
/// same time." The owner keeps it under one lock.
@safe
struct ConnectionHandle: ~Copyable {
    enum Progress { case waitsToRead, waitsToWrite, established, failed }

    /// Libpq did not take a command; `errorMessage` says why.
    struct Rejected: Error {}

    private let connection: OpaquePointer

    /// Begins to connect. Names are resolved here, on the caller's thread.
    init(parameters: [(name: String, value: String)]) throws(Rejected) {
        let arena = CStringArena(parameters.map(\.name) + [""] + parameters.map(\.value))
        let count = parameters.count
        let started: OpaquePointer? = unsafe arena.withPointers { pointers in
            var names = unsafe Array(pointers[..<count])
            var values = unsafe Array(pointers[(count + 1)...])
            unsafe names.append(nil)
            unsafe values.append(nil)
            return unsafe PQconnectStartParams(names, values, 0)
        }
        guard let started = unsafe started else { throw Rejected() }
        unsafe connection = started
        // Notices may quote values, and nobody reads what libpq would print to stderr.
        unsafe PQsetNoticeReceiver(connection, { _, _ in }, nil)
    }

    deinit { unsafe PQfinish(connection) }

    // MARK: State

    var isBroken: Bool { unsafe PQstatus(connection) == CONNECTION_BAD }

    /// The socket, or `nil` when libpq has none at the moment.
    var socket: Int32? {
        let socket = unsafe PQsocket(connection)
        return socket < 0 ? nil : socket
    }

    var transactionStatus: TransactionStatus {
        switch unsafe PQtransactionStatus(connection) {
        case PQTRANS_IDLE: .idle
        case PQTRANS_INTRANS: .open
        case PQTRANS_INERROR: .failed
        default: .unknown
        }
    }

    /// What the server has told of one of the settings that it reports.
    func parameterStatus(_ name: String) -> String? {
        unsafe PQparameterStatus(connection, name).map { unsafe String(cString: $0) }
    }

    /// Libpq's last error on one line. Names hosts, databases and roles; never a password or a value.
    var errorMessage: String {
        let text = unsafe PQerrorMessage(connection).map { unsafe String(cString: $0) } ?? ""
        return text.split(whereSeparator: \.isNewline).map { $0.drop { $0 == "\t" || $0 == " " } }.joined(separator: " ")
    }

    /// The host that is being asked, as the parameters name it, and its port.
    var host: (name: String, port: String) {
        (
            name: unsafe PQhost(connection).map { unsafe String(cString: $0) } ?? "",
            port: unsafe PQport(connection).map { unsafe String(cString: $0) } ?? ""
        )
    }

    func cancelHandle() -> CancelHandle? {
        unsafe PQgetCancel(connection).map { unsafe CancelHandle($0) }
    }

    // MARK: Connecting

    func poll() -> Progress {
        switch unsafe PQconnectPoll(connection) {
        case PGRES_POLLING_READING: .waitsToRead
        case PGRES_POLLING_WRITING: .waitsToWrite
        case PGRES_POLLING_OK: .established
        default: .failed
        }
    }

    /// From here on nothing that is sent blocks, commands go through a pipeline, and `errorMessage` has of the server's errors the
    /// SQLSTATE alone: their DETAIL and CONTEXT quote rows, and would be told of a session that ends in the middle of one.
    func makeReady() -> Bool {
        unsafe PQsetErrorVerbosity(connection, PQERRORS_SQLSTATE)
        return unsafe PQsetnonblocking(connection, 1) == 0 && PQenterPipelineMode(connection) == 1
    }

    // MARK: Sending

    func prepare(_ name: String, _ sql: String, types: [UInt32]) throws(Rejected) {
        guard unsafe PQsendPrepare(connection, name, sql, Int32(types.count), types) == 1 else { throw Rejected() }
    }

    /// Asks for the parameters and columns of a prepared statement.
    func describe(_ name: String) throws(Rejected) {
        guard unsafe PQsendDescribePrepared(connection, name) == 1 else { throw Rejected() }
    }

    /// Runs a prepared statement; parameters and results are binary.
    func execute(_ name: String, _ parameters: Parameters) throws(Rejected) {
        if parameters.count == 0 {
            guard unsafe PQsendQueryPrepared(connection, name, 0, nil, nil, nil, 1) == 1 else { throw Rejected() }
            return
        }
        let sent = unsafe withValues(parameters) { values, formats in
            unsafe PQsendQueryPrepared(connection, name, Int32(parameters.count), values, parameters.lengths, formats, 1)
        }
        guard sent == 1 else { throw Rejected() }
    }

    /// Parses and runs a statement that is not kept; parameters and results are binary.
    func execute(unprepared sql: String, _ parameters: Parameters) throws(Rejected) {
        let sent = unsafe withValues(parameters) { values, formats in
            unsafe PQsendQueryParams(
                connection, sql, Int32(parameters.count), parameters.types, values, parameters.lengths, formats, 1
            )
        }
        guard sent == 1 else { throw Rejected() }
    }

    /// Lends the values as libpq takes them; they are valid until `body` returns.
    private func withValues(
        _ parameters: Parameters,
        _ body: (UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?) -> Int32
    ) -> Int32 {
        let count = parameters.count
        // Both on the stack, unless there are hundreds.
        return unsafe withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: count) { values in
            unsafe withUnsafeTemporaryAllocation(of: Int32.self, capacity: count) { formats in
                unsafe formats.initialize(repeating: 1)
                return unsafe parameters.bytes.withUnsafeBytes { bytes in
                    // An empty buffer has no address, but an empty value is not NULL, so it needs one.
                    var next = unsafe (bytes.baseAddress ?? emptyValue).assumingMemoryBound(to: CChar.self)
                    for (index, length) in parameters.lengths.enumerated() {
                        let value = unsafe length == Parameters.null ? nil : next
                        unsafe values.initializeElement(at: index, to: value)
                        if length > 0 { unsafe next += Int(length) }
                    }
                    return unsafe body(UnsafePointer(values.baseAddress), UnsafePointer(formats.baseAddress))
                }
            }
        }
    }

    /// Runs a statement once, without parameters.
    func execute(text sql: String) throws(Rejected) {
        guard unsafe PQsendQueryParams(connection, sql, 0, nil, nil, nil, nil, 1) == 1 else { throw Rejected() }
    }

    /// Ends the pipeline.
    func synchronise() throws(Rejected) {
        guard unsafe PQpipelineSync(connection) == 1 else { throw Rejected() }
    }

    /// Leaves the pipeline mode and sends several statements as one text by the simple protocol.
    func sendScript(_ sql: String) throws(Rejected) {
        guard unsafe PQexitPipelineMode(connection) == 1, unsafe PQsendQuery(connection, sql) == 1 else {
            throw Rejected()
        }
    }

    func resumePipelining() -> Bool { unsafe PQenterPipelineMode(connection) == 1 }

    /// Writes what is buffered; `true` when all is written, `false` when the socket takes no more at the moment.
    func flush() throws(Rejected) -> Bool {
        switch unsafe PQflush(connection) {
        case 0: return true
        case 1: return false
        default: throw Rejected()
        }
    }

    /// The next notification that has arrived.
    func nextNotification() -> Notification? {
        guard let notification = unsafe PQnotifies(connection) else { return nil }
        defer { unsafe PQfreemem(notification) }
        return unsafe Notification(
            channel: notification.pointee.relname.map { unsafe String(cString: $0) } ?? "",
            payload: notification.pointee.extra.map { unsafe String(cString: $0) } ?? "",
            processID: notification.pointee.be_pid
        )
    }

    // MARK: Copying

    /// Hands over data of a COPY; `false` if libpq has no room for it and it is to be offered again.
    func putCopyData(_ bytes: [UInt8]) throws(Rejected) -> Bool {
        let answer = unsafe bytes.withUnsafeBytes { bytes in
            unsafe PQputCopyData(
                connection, bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
                Int32(truncatingIfNeeded: bytes.count)
            )
        }
        guard answer >= 0 else { throw Rejected() }
        return answer == 1
    }

    /// Ends the data, or with a reason makes the server refuse all of it; `false` if it is to be tried again.
    func endCopy(_ reason: String?) throws(Rejected) -> Bool {
        let answer = unsafe PQputCopyEnd(connection, reason)
        guard answer >= 0 else { throw Rejected() }
        return answer == 1
    }

    enum CopyProgress { case taken, pending, ended }

    /// Appends what the server has sent as one piece, usually a row.
    func takeCopyData(into buffer: inout [UInt8]) throws(Rejected) -> CopyProgress {
        while true {
            var data: UnsafeMutablePointer<CChar>?
            let count = unsafe PQgetCopyData(connection, &data, 1)
            switch count {
            case 1...:
                defer { unsafe PQfreemem(data) }
                unsafe buffer.append(contentsOf: UnsafeRawBufferPointer(start: data, count: Int(count)))
                return .taken
            case 0: guard refill() else { return .pending }
            case -1: return .ended
            default: throw Rejected()
            }
        }
    }

    // MARK: Receiving

    /// Reads what the socket has; `false` if the connection is lost.
    func consumeInput() -> Bool { unsafe PQconsumeInput(connection) == 1 }

    /// Reads what OpenSSL has decrypted and libpq had no room for, of which the socket tells nothing: a record may have 16 KiB, and libpq reads
    /// with as little room as 8. `false` if there is none.
    func refill() -> Bool {
        unsafe heartguard_has_decrypted_input(connection) != 0 && PQconsumeInput(connection) == 1
    }

    enum Answer {
        /// Nothing more without waiting.
        case pending
        case null
        case success(ResultHandle)
        /// A success of which the tag is all that was wanted.
        case done(tag: String)
        /// An error of the server, or of libpq if there is no failure with it.
        indirect case error(ServerFailure?)
        case aborted
        case synchronisation
        /// The server is ready for a COPY's data, or sends it.
        case copy(CopyChannel.Direction)
        /// A status that this client does not expect, as its number.
        case unexpected(UInt32)
    }

    /// The next answer that has arrived.
    ///
    /// - Parameter keepsResult: somebody wants the rows of a success.
    func nextAnswer(keepsResult: Bool) -> Answer {
        while unsafe PQisBusy(connection) != 0 {
            guard refill() else { return .pending }
        }
        guard let result = unsafe PQgetResult(connection) else { return .null }
        let status = unsafe PQresultStatus(result)
        switch status {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
            if keepsResult { return unsafe .success(ResultHandle(result)) }
            defer { unsafe PQclear(result) }
            return .done(tag: unsafe PQcmdStatus(result).map { unsafe String(cString: $0) } ?? "")
        case PGRES_FATAL_ERROR, PGRES_NONFATAL_ERROR, PGRES_BAD_RESPONSE:
            defer { unsafe PQclear(result) }
            return unsafe .error(ServerFailure(result: result))
        default:
            unsafe PQclear(result)
            return switch status {
            case PGRES_PIPELINE_ABORTED: .aborted
            case PGRES_PIPELINE_SYNC: .synchronisation
            case PGRES_COPY_IN: .copy(.toServer)
            case PGRES_COPY_OUT: .copy(.fromServer)
            default: .unexpected(status.rawValue)
            }
        }
    }
}

/// Where a session stands when no statement is running.
enum TransactionStatus: Sendable { case idle, open, failed, unknown }

/// An address for values of no length.
nonisolated(unsafe) private let emptyValue = UnsafeRawPointer(UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1))

/// Asks the server to stop what a session is doing.
///
/// libpq's manual (34.7): PQcancel "can safely be invoked from a signal handler"; it only reads the object, so another
/// thread may use it while the connection is used. It opens a connection of its own and blocks until that is closed.
@safe
final class CancelHandle: @unchecked Sendable {
    private let handle: OpaquePointer

    fileprivate init(_ handle: OpaquePointer) { unsafe self.handle = handle }

    deinit { unsafe PQfreeCancel(handle) }

    /// Blocks. When it returns, the server has signalled the session, or could not be reached.
    func cancel() {
        var message = [CChar](repeating: 0, count: 256)
        // Whether it worked shows in how the statement ends, so neither the answer nor the text is of use.
        _ = unsafe PQcancel(handle, &message, Int32(message.count))
    }
}
