/// A reply of Redis, as RESP2 knows it.
package enum RESPValue: Sendable, Hashable {
    /// A simple string, such as `OK`.
    case status(String)
    /// An error inside an array or a batch. A command's own error is thrown instead.
    indirect case error(RESPError)
    case integer(Int64)
    /// A bulk string: any bytes.
    case bytes([UInt8])
    /// A key, member or element that does not exist.
    case null
    case array([RESPValue])

    package var isNull: Bool { self == .null }

    package var integer: Int64? {
        if case .integer(let value) = self { value } else { nil }
    }

    package var bytes: [UInt8]? {
        if case .bytes(let value) = self { value } else { nil }
    }

    /// A status, or bytes that are valid UTF-8.
    package var text: String? {
        switch self {
        case .status(let text): text
        case .bytes(let bytes): String(validating: bytes, as: UTF8.self)
        default: nil
        }
    }

    package var array: [RESPValue]? {
        if case .array(let values) = self { values } else { nil }
    }
}

/// An error as Redis words it: a code in capitals, then a sentence.
package struct RESPError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The first word, such as `WRONGTYPE` or `NOSCRIPT`; `ERR` for most.
    package let code: String
    /// The whole line without the arguments of the command, which Redis repeats for some errors and which may be
    /// somebody's data.
    package let message: String

    package var description: String { message }

    init(line: String) {
        code = String(line.prefix { $0 != " " })
        if let echo = line.firstRange(of: ", with args beginning with:") {
            message = String(line[..<echo.lowerBound])
        } else {
            message = line
        }
    }
}
