internal import FoundationEssentials
internal import JSON

/// Writes the tokens of JSON (RFC 8259) without spaces.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []

    mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }

    mutating func raw(_ text: [UInt8]) { bytes.append(contentsOf: text) }

    /// Between the items of an array, or the members of an object.
    mutating func comma(unless isFirst: inout Bool) {
        if isFirst { isFirst = false } else { bytes.append(0x2c) }
    }

    mutating func number(_ number: some BinaryInteger) { bytes.append(contentsOf: String(number).utf8) }

    /// Swift's digits are the shortest that read back as the same number.
    mutating func number(_ number: Double, digits: @autoclosure () -> String) {
        if number.isFinite { return bytes.append(contentsOf: digits().utf8) }
        string(number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity")
    }

    mutating func string(_ text: String) { bytes.append(json: Array(text.utf8)[...]) }

    /// The text that these bytes are in UTF-8; what is none of it becomes U+FFFD.
    mutating func string(utf8 text: ArraySlice<UInt8>) {
        // ASCII, which most is, needs no look at how its bytes go together.
        if text.allSatisfy({ $0 < 0x80 }) { bytes.append(json: text) } else { string(String(decoding: text, as: UTF8.self)) }
    }

    mutating func base64(_ content: ArraySlice<UInt8>) {
        bytes.append(0x22)
        bytes.append(contentsOf: Data(content).base64EncodedData())
        bytes.append(0x22)
    }
}
