internal import Time

/// The texts that stand for Timestamp, Duration and FieldMask in JSON.
enum WellKnownText {
    /// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, the range of google.protobuf.Timestamp.
    static let timestampSeconds: ClosedRange<Int64> = -62_135_596_800...253_402_300_799

    /// RFC 3339 in UTC with 0, 3, 6 or 9 digits behind the point; nil out of range.
    static func timestamp(seconds: Int64, nanos: Int64) -> String? {
        guard timestampSeconds.contains(seconds), (0..<1_000_000_000).contains(nanos) else { return nil }
        if nanos % 1_000 == 0 { return Instant(microsecondsSinceEpoch: seconds * 1_000_000 + nanos / 1_000).rfc3339 }
        return Instant(microsecondsSinceEpoch: seconds * 1_000_000).rfc3339.dropLast() + fraction(nanos) + "Z"
    }

    static func timestamp(_ text: String) -> (seconds: Int64, nanos: Int64)? {
        // A space or small letters, which RFC 3339 allows and the JSON mapping does not, are refused.
        guard text.utf8.count <= 64, text.utf8.dropFirst(10).first == UInt8(ascii: "T") else { return nil }
        var whole = text
        var nanos: Int64 = 0
        if let point = text.firstIndex(of: ".") {
            let digits = text[text.index(after: point)...].prefix { $0.isASCII && $0.isNumber }
            guard (1...9).contains(digits.count) else { return nil }
            nanos = Int64(digits + String(repeating: "0", count: 9 - digits.count)) ?? 0
            whole.removeSubrange(point..<digits.endIndex)
        }
        guard !text.hasSuffix("z"), let instant = Instant(rfc3339: whole) else { return nil }
        let seconds = instant.microsecondsSinceEpoch / 1_000_000
        return timestampSeconds.contains(seconds) ? (seconds, nanos) : nil
    }

    static func duration(seconds: Int64, nanos: Int64) -> String {
        (seconds < 0 || nanos < 0 ? "-" : "") + String(seconds.magnitude) + fraction(Int64(nanos.magnitude)) + "s"
    }

    static func duration(_ text: String) -> (seconds: Int64, nanos: Int64)? {
        guard text.last == "s", text.utf8.count <= 32 else { return nil }
        let isNegative = text.first == "-"
        let parts = text.dropLast().drop { $0 == "-" }.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), !parts[0].isEmpty,
            parts.allSatisfy({ $0.allSatisfy { $0.isASCII && $0.isNumber } }),
            let seconds = Int64(parts[0]), seconds <= 315_576_000_000
        else { return nil }
        var nanos: Int64 = 0
        if parts.count == 2 {
            guard (1...9).contains(parts[1].count) else { return nil }
            nanos = Int64(parts[1] + String(repeating: "0", count: 9 - parts[1].count)) ?? 0
        }
        return isNegative ? (-seconds, -nanos) : (seconds, nanos)
    }

    /// The paths in camel case with commas between; nil if one of them would not come back as it was (field_mask.proto,
    /// "JSON Encoding of Field Masks").
    static func fieldMask(_ paths: [String]) -> String? {
        var texts: [String] = []
        for path in paths {
            let text = camelCase(path)
            guard !path.isEmpty, !path.contains(","), snakeCase(text) == path else { return nil }
            texts.append(text)
        }
        return texts.joined(separator: ",")
    }

    private static func camelCase(_ path: String) -> String {
        var result = ""
        var upper = false
        for character in path {
            if character == "_" { upper = true } else {
                result += upper ? character.uppercased() : String(character)
                upper = false
            }
        }
        return result
    }

    static func snakeCase(_ path: String) -> String {
        path.map { $0.isUppercase ? "_\($0.lowercased())" : String($0) }.joined()
    }

    private static func fraction(_ nanos: Int64) -> String {
        if nanos == 0 { return "" }
        let digits = String(String(nanos + 1_000_000_000).dropFirst())
        if nanos % 1_000_000 == 0 { return "." + digits.prefix(3) }
        return nanos % 1_000 == 0 ? "." + digits.prefix(6) : "." + digits
    }
}
