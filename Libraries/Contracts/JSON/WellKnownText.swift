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
        // What RFC 3339 allows and the JSON mapping does not is refused: a space, small letters, and a leap second (timestamp.proto: "All minutes are 60
        // seconds long").
        guard text.utf8.count <= 64, text.utf8.dropFirst(10).first == UInt8(ascii: "T"), text.utf8.dropFirst(17).first != UInt8(ascii: "6"),
            !text.hasSuffix("z")
        else { return nil }
        var whole = text
        var nanos: Int64 = 0
        if let point = text.firstIndex(of: ".") {
            let digits = text[text.index(after: point)...].prefix(while: isDigit)
            guard text.utf8.distance(from: text.startIndex, to: point) == 19, let fraction = billionths(digits) else { return nil }
            nanos = fraction
            whole.removeSubrange(point..<digits.endIndex)
        }
        // One point, and that behind the seconds.
        guard !whole.contains("."), let instant = Instant(rfc3339: whole) else { return nil }
        let seconds = instant.microsecondsSinceEpoch / 1_000_000
        return timestampSeconds.contains(seconds) ? (seconds, nanos) : nil
    }

    /// The seconds of google.protobuf.Duration: ten thousand years there and back.
    private static let durationSeconds: ClosedRange<Int64> = -315_576_000_000...315_576_000_000

    /// nil out of range, and for seconds and nanos of two signs.
    static func duration(seconds: Int64, nanos: Int64) -> String? {
        guard durationSeconds.contains(seconds), nanos.magnitude < 1_000_000_000, seconds.signum() * nanos.signum() >= 0 else { return nil }
        return (seconds < 0 || nanos < 0 ? "-" : "") + String(seconds.magnitude) + fraction(Int64(nanos.magnitude)) + "s"
    }

    static func duration(_ text: String) -> (seconds: Int64, nanos: Int64)? {
        guard text.last == "s", text.utf8.count <= 32 else { return nil }
        let isNegative = text.first == "-"
        let parts = text.dropFirst(isNegative ? 1 : 0).dropLast().split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts[0].allSatisfy(isDigit), let seconds = Int64(parts[0]), durationSeconds.contains(seconds),
            let nanos = parts.count == 1 ? 0 : billionths(parts[1])
        else { return nil }
        return isNegative ? (-seconds, -nanos) : (seconds, nanos)
    }

    /// The digits behind a point; nil for none, for more than nine, and for what is none.
    private static func billionths(_ digits: Substring) -> Int64? {
        guard (1...9).contains(digits.count), digits.allSatisfy(isDigit) else { return nil }
        return Int64(digits + String(repeating: "0", count: 9 - digits.count))
    }

    private static func isDigit(_ character: Character) -> Bool { character.isASCII && character.isNumber }

    /// The paths in camel case with commas between; nil if one of them would not come back as it was (field_mask.proto,
    /// "JSON Encoding of Field Masks").
    static func fieldMask(_ paths: [String]) -> String? {
        var texts: [String] = []
        for path in paths {
            let text = camelCase(path)
            guard isPath(text), snakeCase(text) == path else { return nil }
            texts.append(text)
        }
        return texts.joined(separator: ",")
    }

    /// The paths as the contract spells them; nil if one of them is none or is not in camel case.
    static func fieldMask(_ text: String) -> [String]? {
        if text.isEmpty { return [] }
        let texts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        return texts.allSatisfy(isPath) ? texts.map(snakeCase) : nil
    }

    /// Letters and digits with points between, or the star that stands for all fields (AIP-134). An underscore would be lost, or stand twice.
    private static func isPath(_ text: String) -> Bool {
        text == "*"
            || text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { name in
                !name.isEmpty && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
            }
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

    private static func snakeCase(_ path: String) -> String {
        path.map { $0.isUppercase ? "_\($0.lowercased())" : String($0) }.joined()
    }

    private static func fraction(_ nanos: Int64) -> String {
        if nanos == 0 { return "" }
        let digits = String(String(nanos + 1_000_000_000).dropFirst())
        if nanos % 1_000_000 == 0 { return "." + digits.prefix(3) }
        return nanos % 1_000 == 0 ? "." + digits.prefix(6) : "." + digits
    }
}
