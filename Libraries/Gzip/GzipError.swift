/// Why bytes could not be taken apart. None of these sentences repeats the bytes.
package enum GzipError: Error, Hashable, CustomStringConvertible {
    /// What was packed is larger than allowed. Nothing beyond the limit was unpacked.
    case tooLarge(limit: Int)
    /// These are not the bytes of one gzip member, or its checksum is wrong.
    case malformed
    /// The bytes end before the member does.
    case cutShort
    /// More follows the member.
    case trailingBytes
    /// zlib has no memory, or an answer that its manual does not promise here.
    case failed(code: Int32)

    package var description: String {
        switch self {
        case .tooLarge(let limit): "What is packed is larger than \(limit) bytes."
        case .malformed: "The bytes are not gzip, or are damaged."
        case .cutShort: "The gzip member is not complete."
        case .trailingBytes: "There are bytes behind the gzip member."
        case .failed(let code): "zlib failed with \(code)."
        }
    }
}
