internal import CPostgres
#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// Owns one `PGresult`.
///
/// libpq's manual (34.20, "Behavior in Threaded Programs"): "PGresult objects are normally read-only after creation, and
/// so can be passed around freely between threads." Nothing here modifies it.
@safe
final class ResultHandle: @unchecked Sendable {
    private let result: OpaquePointer
    let rowCount: Int
    let columnCount: Int

    init(_ result: OpaquePointer) {
        unsafe self.result = result
        rowCount = unsafe Int(PQntuples(result))
        columnCount = unsafe Int(PQnfields(result))
    }

    /// A result that libpq is not given by the server: rows of a COPY, whose fields lie in `bytes`. `nil` without memory.
    convenience init?(columns: [ResultColumn], rows: [[Range<Int>?]], in bytes: [UInt8]) {
        guard let result = unsafe PQmakeEmptyPGresult(nil, PGRES_TUPLES_OK) else { return nil }
        let arena = CStringArena(columns.map(\.name))
        var isComplete = unsafe arena.withPointers { names in
            var attributes = unsafe zip(columns, names).map { column, name in
                unsafe PGresAttDesc(
                    name: UnsafeMutablePointer(mutating: name), tableid: 0, columnid: 0, format: 1,
                    typid: column.type.rawValue, typlen: -1, atttypmod: -1
                )
            }
            return unsafe PQsetResultAttrs(result, Int32(truncatingIfNeeded: columns.count), &attributes) != 0
        }
        unsafe bytes.withUnsafeBytes { bytes in
            for (row, fields) in rows.enumerated() {
                for (column, field) in fields.enumerated() {
                    let (row, column) = (Int32(truncatingIfNeeded: row), Int32(truncatingIfNeeded: column))
                    let start = unsafe field.flatMap { unsafe bytes.baseAddress.map { unsafe UnsafeMutableRawPointer(mutating: $0) }?.advanced(by: $0.lowerBound) }
                    let length = field.map { Int32(truncatingIfNeeded: $0.count) } ?? -1
                    let isSet = unsafe PQsetvalue(result, row, column, start?.assumingMemoryBound(to: CChar.self), length) != 0
                    isComplete = isComplete && isSet
                }
            }
        }
        guard isComplete else {
            unsafe PQclear(result)
            return nil
        }
        unsafe self.init(result)
    }

    deinit { unsafe PQclear(result) }

    /// The names and types of all columns, made at each call.
    var columns: [ResultColumn] {
        (0..<columnCount).map { position in
            ResultColumn(
                name: columnName(position),
                type: PostgresType(rawValue: unsafe PQftype(result, Int32(truncatingIfNeeded: position))))
        }
    }

    /// The name of the column at a position within the result.
    func columnName(_ position: Int) -> String {
        unsafe PQfname(result, Int32(truncatingIfNeeded: position)).map { unsafe String(cString: $0) } ?? ""
    }

    /// Where the column with this name stands, which has to match exactly. Makes no text of the names that it passes.
    func position(of name: String) -> Int? {
        var name = name
        return name.withUTF8 { wanted in
            (0..<columnCount).first { position in
                guard let start = unsafe PQfname(result, Int32(truncatingIfNeeded: position)) else { return false }
                guard unsafe strlen(start) == wanted.count, let first = wanted.baseAddress else { return false }
                return unsafe memcmp(start, first, wanted.count) == 0
            }
        }
    }

    /// The number in the command's tag; 0 where the tag has none.
    var rowsAffected: Int {
        unsafe PQcmdTuples(result).flatMap { unsafe Int(String(cString: $0)) } ?? 0
    }

    /// The command's tag, such as `COMMIT` or `INSERT 0 1`.
    var tag: String {
        unsafe PQcmdStatus(result).map { unsafe String(cString: $0) } ?? ""
    }

    /// Reads one field in place; nothing borrowed outlives the call.
    func decode<Value: PostgresDecodable>(
        row: Int, column: Int, as type: Value.Type
    ) throws(DecodingFailure) -> Value {
        precondition((0..<rowCount).contains(row) && (0..<columnCount).contains(column), "the field lies within the result")
        let (row, field) = (Int32(truncatingIfNeeded: row), Int32(truncatingIfNeeded: column))
        if unsafe PQgetisnull(result, row, field) == 1 { return try Self.null() }
        guard let start = unsafe PQgetvalue(result, row, field) else { throw DecodingFailure("could not be read") }
        let count = unsafe Int(PQgetlength(result, row, field))
        let bytes = unsafe UnsafeRawBufferPointer(start: start, count: count).bindMemory(to: UInt8.self)
        return try unsafe Value(postgres: Span(_unsafeElements: bytes), type: PostgresType(rawValue: PQftype(result, field)))
    }

    /// On its own, for an optional of a generic type costs a look-up of its metadata, which a field that is not NULL need not pay.
    @inline(never)
    private static func null<Value: PostgresDecodable>() throws(DecodingFailure) -> Value {
        guard let null = Value.postgresNull else { throw DecodingFailure("is NULL, which \(Value.self) cannot be") }
        return null
    }
}
