/// A vector in pgvector's textual form, such as `[0.25,-1e-05,3]`.
///
/// Each number is the shortest that reads back as the same Float, so nothing is lost.
enum EmbeddingText {
    static func encode(_ components: [Float]) -> String {
        var text = "["
        text.reserveCapacity(components.count * 12 + 2)
        for (place, component) in components.enumerated() {
            if place > 0 { text += "," }
            text += component.description
        }
        return text + "]"
    }

    /// `nil` for anything that is not a bracketed list of finite numbers.
    static func decode(_ text: String) -> [Float]? {
        guard text.utf8.first == UInt8(ascii: "["), text.utf8.last == UInt8(ascii: "]") else { return nil }
        var components: [Float] = []
        let list = text.utf8.dropFirst().dropLast()
        for part in list.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            guard let component = Float(Substring(part)), component.isFinite else { return nil }
            components.append(component)
        }
        return components
    }
}

/// A vector as little-endian float32, four bytes a component.
enum EmbeddingBytes {
    static func encode(_ components: [Float]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(components.count * 4)
        for component in components {
            let bits = component.bitPattern
            bytes.append(UInt8(truncatingIfNeeded: bits))
            bytes.append(UInt8(truncatingIfNeeded: bits >> 8))
            bytes.append(UInt8(truncatingIfNeeded: bits >> 16))
            bytes.append(UInt8(truncatingIfNeeded: bits >> 24))
        }
        return bytes
    }

    /// `nil` if the bytes are not whole finite components.
    static func decode(_ bytes: [UInt8]) -> [Float]? {
        guard bytes.count.isMultiple(of: 4) else { return nil }
        var components: [Float] = []
        components.reserveCapacity(bytes.count / 4)
        for start in stride(from: 0, to: bytes.count, by: 4) {
            let low = UInt32(bytes[start]) | UInt32(bytes[start + 1]) << 8
            let high = UInt32(bytes[start + 2]) << 16 | UInt32(bytes[start + 3]) << 24
            let component = Float(bitPattern: low | high)
            guard component.isFinite else { return nil }
            components.append(component)
        }
        return components
    }
}
