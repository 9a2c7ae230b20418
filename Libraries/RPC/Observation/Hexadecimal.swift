/// Numbers in hexadecimal digits, all of them and in lower case, as trace headers have them.
package enum Hexadecimal {
    package static func digits<Number: FixedWidthInteger & UnsignedInteger>(of number: Number) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: Number.bitWidth / 4 - digits.utf8.count) + digits
    }

    /// `nil` unless all of the digits, at most 16, are lower-case hexadecimal.
    static func number(_ bytes: Span<UInt8>, _ first: Int, _ count: Int) -> UInt64? {
        var number: UInt64 = 0
        for index in first..<(first + count) {
            let byte = bytes[index]
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            default: return nil
            }
            number = number << 4 | UInt64(digit)
        }
        return number
    }
}
