package import FoundationEssentials
package import Time

extension UUID: PostgresCodable {
    package static var postgresType: PostgresType { .uuid }

    package func encode(into buffer: inout [UInt8]) {
        let id = uuid
        buffer.append(contentsOf: [
            id.0, id.1, id.2, id.3, id.4, id.5, id.6, id.7, id.8, id.9, id.10, id.11, id.12, id.13, id.14, id.15,
        ])
    }

    package init(postgres bytes: Span<UInt8>, type: PostgresType) throws(DecodingFailure) {
        guard type == .uuid else { throw .mismatch(type, UUID.self) }
        guard bytes.count == 16 else { throw .malformed(type) }
        self.init(uuid: (
            bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7],
            bytes[8], bytes[9], bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]
        ))
    }
}

/// PostgreSQL counts microseconds from 2000-01-01, an `Instant` from 1970-01-01.
private let epochDifference: Int64 = 946_684_800_000_000

extension Instant: PostgresCodable {
    package static var postgresType: PostgresType { .timestamptz }

    package func encode(into buffer: inout [UInt8]) {
        // An instant before 290,000 BC would be taken as -infinity; the server refuses all before 4713 BC.
        let (value, overflow) = microsecondsSinceEpoch.subtractingReportingOverflow(epochDifference)
        buffer.appendBigEndian(overflow ? Int64.min + 1 : value)
    }

    package init(postgres bytes: Span<UInt8>, type: PostgresType) throws(DecodingFailure) {
        guard type == .timestamptz else { throw .mismatch(type, Instant.self) }
        guard bytes.count == 8, let value = bytes.bigEndian(Int64.self) else { throw .malformed(type) }
        guard value != .max, value != .min else { throw DecodingFailure("holds infinity, which is no instant") }
        // The server's days go on until 294276, some 29 years beyond an instant's last.
        let (microseconds, overflow) = value.addingReportingOverflow(epochDifference)
        guard !overflow else { throw DecodingFailure("holds a time later than any instant") }
        self.init(microsecondsSinceEpoch: microseconds)
    }
}

extension CivilDate: PostgresCodable {
    package static var postgresType: PostgresType { .date }

    package func encode(into buffer: inout [UInt8]) {
        buffer.appendBigEndian(Int32(clamping: daysSinceEpoch - epochDifference / 86_400_000_000))
    }

    package init(postgres bytes: Span<UInt8>, type: PostgresType) throws(DecodingFailure) {
        guard type == .date else { throw .mismatch(type, CivilDate.self) }
        guard bytes.count == 4, let days = bytes.bigEndian(Int32.self) else { throw .malformed(type) }
        guard days != .max, days != .min else { throw DecodingFailure("holds infinity, which is no day") }
        self.init(daysSinceEpoch: Int64(days) + epochDifference / 86_400_000_000)
    }
}
