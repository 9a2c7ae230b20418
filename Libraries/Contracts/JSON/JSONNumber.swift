internal import JSON

/// The numbers of proto3's JSON mapping: a JSON number, or a string of one. They are read as the bits that go onto the wire.
enum JSONNumber {
    static func floating(_ json: JSONValue, isFloat: Bool) throws(JSONMappingError) -> UInt64 {
        func bits(_ number: Double) -> UInt64 { isFloat ? UInt64(Float(number).bitPattern) : number.bitPattern }
        let digits: String
        switch json {
        case .number(let text): digits = text
        case .string("NaN"): return bits(.nan)
        case .string("Infinity"): return bits(.infinity)
        case .string("-Infinity"): return bits(-.infinity)
        case .string(let text):
            guard let value = try? JSONParser.parse(Array(text.utf8)), case .number = value else { fallthrough }
            digits = text
        default: throw JSONMappingError("Must be a number, not \(json.kindName).")
        }
        guard let number = Double(digits), number.isFinite, !isFloat || Float(number).isFinite else {
            throw JSONMappingError("The number is too large.")
        }
        // Read by its digits: rounding twice, to Double and then to Float, can miss the nearest.
        return isFloat ? UInt64((Float(digits) ?? Float(number)).bitPattern) : bits(number)
    }

    /// Of a signed kind with its sign in all 64 bits; of `sint32` and `sint64` zigzagged.
    static func integer(_ json: JSONValue, _ kind: FieldSchema.Kind) throws(JSONMappingError) -> UInt64 {
        let text: String
        switch json {
        case .number(let digits), .string(let digits): text = digits
        default: throw JSONMappingError("Must be a whole number, not \(json.kindName).")
        }
        func signed(_ number: Int64) -> UInt64 { UInt64(bitPattern: number) }
        func zigzag(_ number: Int64) -> UInt64 { UInt64(bitPattern: number << 1 ^ number >> 63) }
        let bits: UInt64? =
            switch kind {
            case .int32, .sfixed32: exact(text, Int32.self).map { signed(Int64($0)) }
            case .sint32: exact(text, Int32.self).map { zigzag(Int64($0)) }
            case .int64, .sfixed64: exact(text, Int64.self).map(signed)
            case .sint64: exact(text, Int64.self).map(zigzag)
            case .uint32, .fixed32: exact(text, UInt32.self).map { UInt64($0) }
            default: exact(text, UInt64.self)
            }
        guard let bits else { throw JSONMappingError("Must be a whole number that fits the field.") }
        return bits
    }

    /// Digits as they are, or with a point or exponent that leaves a whole number, as in 1.0 and 1e3. Read by its digits: a Double has 53 bits of them.
    private static func exact<Integer: FixedWidthInteger>(_ text: String, _: Integer.Type) -> Integer? {
        if let number = Integer(text), !text.hasPrefix("+") { return number }
        guard text.utf8.count <= 64, case .number? = try? JSONParser.parse(Array(text.utf8)) else { return nil }
        let parts = text.drop { $0 == "-" }.split { $0 == "e" || $0 == "E" }
        let halves = parts[0].split(separator: ".")
        guard let exponent = parts.count > 1 ? Int(parts[1]) : 0, (-64...64).contains(exponent) else { return nil }
        let places = exponent - (halves.count > 1 ? halves[1].count : 0)
        let digits = halves.joined() + String(repeating: "0", count: max(0, places))
        guard digits.suffix(max(0, -places)).allSatisfy({ $0 == "0" }) else { return nil }
        let whole = digits.dropLast(max(0, -places))
        return Integer((text.hasPrefix("-") ? "-" : "") + (whole.isEmpty ? "0" : whole))
    }
}
