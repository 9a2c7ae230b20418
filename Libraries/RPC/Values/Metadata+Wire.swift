extension Metadata {
    /// A sentence about the first field that HTTP/2 or gRPC would not let through, or `nil` when all may be sent.
    package var firstProblem: String? {
        for field in fields {
            if field.name.isEmpty || !field.name.utf8.allSatisfy({ $0.mayStandInName }) {
                return "A metadata name may hold only a-z, 0-9, '-', '_' and '.'."
            }
            if Metadata.isReserved(field.name) {
                return "The metadata name \(field.name) belongs to gRPC or HTTP/2."
            }
            if field.name.hasSuffix(Metadata.binarySuffix) {
                guard Metadata.isBase64(field.value) else { return "The metadata \(field.name) is not base64." }
            } else if !field.value.isPrintableASCII {
                return "The metadata \(field.name) holds characters other than printable ASCII."
            }
        }
        if byteCount > Metadata.maxBytesSent { return "The metadata is larger than \(Metadata.maxBytesSent) bytes." }
        return nil
    }

    /// A block of more than 64 KiB is never sent by nghttp2, and something has to be left for what is not the application's.
    static let maxBytesSent = 48 << 10

    /// Several values under one name may have been joined by commas on their way here.
    private static func isBase64(_ value: String) -> Bool {
        if Base64.decode(value.utf8) != nil { return true }
        return value.utf8.split(separator: UInt8(ascii: ",")).allSatisfy { Base64.decode($0) != nil }
    }

    /// What HTTP/2 counts for the fields: name, value and 32 bytes each (RFC 9113, section 6.5.2).
    var byteCount: Int {
        fields.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 32 }
    }

    /// Names that the transport writes itself; what an application puts there would be mistaken for protocol.
    static func isReserved(_ name: String) -> Bool {
        if name.utf8.first == UInt8(ascii: ":") || (name.hasPrefix("grpc-") && name != Pushback.name) { return true }
        switch name {
        case "content-type", "content-length", "te", "host", "connection", "keep-alive", "proxy-connection",
            "transfer-encoding", "upgrade":
            return true
        default:
            return false
        }
    }
}
