/// Reads the bytes of an option that swift-protobuf has no type for, by field number.
///
/// protoc hands custom options over as unknown fields of the options message.
struct OptionBytes {
    enum Value: Equatable {
        case number(UInt64)
        case bytes([UInt8])
    }

    private(set) var fields: [(number: Int, value: Value)] = []

    /// `nil` when the bytes are not fields one after another, which protoc never sends.
    init?(_ bytes: some Sequence<UInt8>) {
        var rest = ArraySlice(Array(bytes))
        while !rest.isEmpty {
            guard let tag = Self.varint(&rest) else { return nil }
            let number = Int(tag >> 3)
            switch tag & 7 {
            case 0:
                guard let value = Self.varint(&rest) else { return nil }
                fields.append((number, .number(value)))
            case 1, 5:
                let width = tag & 7 == 1 ? 8 : 4
                guard rest.count >= width else { return nil }
                fields.append((number, .number(rest.prefix(width).reversed().reduce(0) { $0 << 8 | UInt64($1) })))
                rest = rest.dropFirst(width)
            case 2:
                guard let length = Self.varint(&rest), length <= UInt64(rest.count) else { return nil }
                fields.append((number, .bytes(Array(rest.prefix(Int(length))))))
                rest = rest.dropFirst(Int(length))
            default:
                return nil
            }
        }
    }

    /// The last number of this field, as a repeated scalar means it.
    func number(_ field: Int) -> UInt64? {
        for case (field, .number(let value)) in fields.reversed() { return value }
        return nil
    }

    /// Every number of this field, packed or not. `nil` for packed ones that break off.
    func numbers(_ field: Int) -> [UInt64]? {
        var numbers: [UInt64] = []
        for case (field, let value) in fields {
            switch value {
            case .number(let number): numbers.append(number)
            case .bytes(let bytes):
                var rest = bytes[...]
                while !rest.isEmpty {
                    guard let number = Self.varint(&rest) else { return nil }
                    numbers.append(number)
                }
            }
        }
        return numbers
    }

    func string(_ field: Int) -> String? {
        message(field).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The bytes of a message. Pieces join, as merging has it.
    func message(_ field: Int) -> [UInt8]? {
        let pieces = messages(field)
        return pieces.isEmpty ? nil : pieces.flatMap(\.self)
    }

    func messages(_ field: Int) -> [[UInt8]] {
        fields.compactMap { entry in
            guard entry.number == field, case .bytes(let bytes) = entry.value else { return nil }
            return bytes
        }
    }

    private static func varint(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while let byte = bytes.popFirst(), shift < 64 {
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }
}
