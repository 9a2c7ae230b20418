internal import CPostgres

/// An error that the server reported, with the fields that are needed to judge it. Its DETAIL, HINT and CONTEXT, which
/// quote rows and values, are not kept; of the CONTEXT of a COPY only the row's number is.
struct ServerFailure: Sendable, Equatable {
    let sqlState: String
    let primaryMessage: String
    let constraint: String?
    let table: String?
    let column: String?
    /// The function in the server's source that raised the error, which no translation changes.
    let sourceFunction: String?
    /// The row of a COPY that was refused, counted from 1 as the server does.
    let copyLine: Int?
    /// The session ends with this error (FATAL or PANIC).
    let endsSession: Bool

    /// The statement was prepared before a change of the schema. It did not run.
    var isStalePlan: Bool { sqlState == "0A000" && sourceFunction == "RevalidateCachedQuery" }

    /// The session has lost its prepared statements (`DISCARD ALL`). The statement did not run.
    var isMissingStatement: Bool { sqlState == "26000" }

    /// The statement was stopped on somebody's request or by its timeout.
    var isCancellation: Bool { sqlState == "57014" }

    init(
        sqlState: String, primaryMessage: String, constraint: String? = nil, table: String? = nil,
        column: String? = nil, sourceFunction: String? = nil, copyLine: Int? = nil, endsSession: Bool = false
    ) {
        self.sqlState = sqlState
        self.primaryMessage = primaryMessage
        self.constraint = constraint
        self.table = table
        self.column = column
        self.sourceFunction = sourceFunction
        self.copyLine = copyLine
        self.endsSession = endsSession
    }

    /// `nil` if libpq made the error itself, as it does when the connection is lost.
    init?(result: OpaquePointer) {
        func field(_ code: UInt8) -> String? {
            unsafe PQresultErrorField(result, Int32(code)).map { unsafe String(cString: $0) }
        }
        // The codes are characters that libpq-fe.h defines from postgres_ext.h; Swift does not import such macros' types.
        guard let sqlState = field(UInt8(ascii: "C")) else { return nil }
        let severity = field(UInt8(ascii: "V")) ?? field(UInt8(ascii: "S"))
        self.init(
            sqlState: sqlState,
            primaryMessage: field(UInt8(ascii: "M")) ?? "",
            constraint: field(UInt8(ascii: "n")),
            table: field(UInt8(ascii: "t")),
            column: field(UInt8(ascii: "c")),
            sourceFunction: field(UInt8(ascii: "R")),
            copyLine: field(UInt8(ascii: "W")).flatMap(ServerFailure.copyLine),
            endsSession: severity == "FATAL" || severity == "PANIC"
        )
    }

    /// The number in `COPY readings, line 3, column value`, which is the last line of the context, since the innermost
    /// is told first (`CopyFromErrorCallback` in copyfrom.c). Found by its place, since the words are translated.
    static func copyLine(context: String) -> Int? {
        guard let last = context.split(whereSeparator: \.isNewline).last, last.hasPrefix("COPY ") else { return nil }
        let parts = last.split(separator: ",")
        guard parts.count > 1 else { return nil }
        return Int(String(parts[1].reversed().prefix { $0.isWholeNumber }.reversed()))
    }
}
