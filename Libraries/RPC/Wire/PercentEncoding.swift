/// How `grpc-message` carries text that is not printable ASCII: UTF-8, with the bytes that may not stand for themselves
/// as `%` and two hexadecimal digits. A space at either end is written so as well: HTTP/2 has none around a value (RFC 9113,
/// section 8.2.1), and nghttp2 drops a field that has.
enum PercentEncoding {
    static func encode(_ text: String) -> String {
        if text.utf8.allSatisfy(standsForItself), text.utf8.first != space, text.utf8.last != space { return text }
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count + 16)
        let last = text.utf8.count - 1
        for (place, byte) in text.utf8.enumerated() {
            let isSpaceAtEnd = byte == space && (place == 0 || place == last)
            if standsForItself(byte), !isSpaceAtEnd {
                bytes.append(byte)
            } else {
                bytes.append(UInt8(ascii: "%"))
                bytes.append(digits[Int(byte >> 4)])
                bytes.append(digits[Int(byte & 15)])
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What is not a proper escape stays as it is, and what is not UTF-8 is replaced: a status must never be lost
    /// because its text is bad.
    static func decode(_ text: String) -> String {
        if !text.utf8.contains(UInt8(ascii: "%")) { return text }
        let source = Array(text.utf8)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(source.count)
        var index = 0
        while index < source.count {
            if source[index] == UInt8(ascii: "%"), index + 2 < source.count,
                let high = hexadecimal(source[index + 1]), let low = hexadecimal(source[index + 2])
            {
                bytes.append(high << 4 | low)
                index += 3
            } else {
                bytes.append(source[index])
                index += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let space = UInt8(ascii: " ")

    private static func standsForItself(_ byte: UInt8) -> Bool { byte.isPrintableASCII && byte != UInt8(ascii: "%") }

    private static func hexadecimal(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
