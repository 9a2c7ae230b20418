/// The numbers of proto3's JSON mapping: a JSON number, or a string of one.
enum JSONNumber {
    static func floating(
        _ json: JSONValue, isFloat: Bool, _ path: String
    ) throws(JSONMappingError) -> DynamicValue {
        let digits: String
        switch json {
        case .number(let text): digits = text
        case .string("NaN"): return isFloat ? .float(.nan) : .double(.nan)
        case .string("Infinity"): return isFloat ? .float(.infinity) : .double(.infinity)
        case .string("-Infinity"): return isFloat ? .float(-.infinity) : .double(-.infinity)
        case .string(let text):
            guard let value = try? JSONParser.parse(Array(text.utf8)), case .number = value else { fallthrough }
            digits = text
        default: throw JSONMappingError(path: path, reason: "Must be a number, not \(json.kindName).")
        }
        guard let number = Double(digits), number.isFinite, !isFloat || Float(number).isFinite else {
            throw JSONMappingError(path: path, reason: "The number is too large.")
        }
        // Read by its digits: rounding twice, to Double and then to Float, can miss the nearest.
        return isFloat ? .float(Float(digits) ?? Float(number)) : .double(number)
    }

    static func integer(
        _ json: JSONValue, _ kind: FieldSchema.Kind, _ path: String
    ) throws(JSONMappingError) -> DynamicValue {
        let text: String
        switch json {
        case .number(let digits), .string(let digits): text = digits
        default: throw JSONMappingError(path: path, reason: "Must be a whole number, not \(json.kindName).")
        }
        let value: DynamicValue? =
            switch kind {
            case .int32, .sint32, .sfixed32: exact(text, Int32.self).map { .signed(kind, Int64($0)) }
            case .int64, .sint64, .sfixed64: exact(text, Int64.self).map { .signed(kind, $0) }
            case .uint32, .fixed32: exact(text, UInt32.self).map { .unsigned(kind, UInt64($0)) }
            default: exact(text, UInt64.self).map { .unsigned(kind, $0) }
            }
        guard let value else {
            throw JSONMappingError(path: path, reason: "Must be a whole number that fits the field.")
        }
        return value
    }

    /// Digits as they are, or with a point or exponent that leaves a whole number, as in 1.0 and 1e3.
    private static func exact<Integer: FixedWidthInteger>(_ text: String, _: Integer.Type) -> Integer? {
        guard !text.hasPrefix("+") else { return nil }
        if let number = Integer(text) { return number }
        guard text.contains(where: { $0 == "." || $0 == "e" || $0 == "E" }), text.utf8.count <= 64,
            text.allSatisfy({ $0.isASCII && ($0.isNumber || "+-.eE".contains($0)) }), let number = Double(text)
        else { return nil }
        return Integer(exactly: number)
    }
}
