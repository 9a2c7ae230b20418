/// Writes messages as proto3's JSON mapping has them (protobuf.dev, "ProtoJSON Format"), straight from their bytes: fields without
/// presence are left out at their default, 64-bit integers are strings, enums are names.
struct JSONPrinting {
    typealias Unreadable = MessageParts.Unreadable

    static let maxDepth = 100

    let contracts: ContractSchema
    var writer = JSONWriter()
    /// How many values of google.protobuf.Any are around what is written. Each hides its contents from the bound on
    /// the depth of messages, so a bound of its own keeps hostile bytes from using up the stack.
    var anyDepth = 0
    /// For people who read logs: what the contract marks as health information or secret, and bytes, are not told.
    private let isRedacted: Bool

    init(contracts: ContractSchema, redacted: Bool = false) {
        self.contracts = contracts
        isRedacted = redacted
    }

    /// The JSON of a message.
    static func json(of bytes: [UInt8], _ schema: MessageSchema, in contracts: ContractSchema) throws(Unreadable) -> [UInt8] {
        var printing = JSONPrinting(contracts: contracts)
        try printing.message(bytes[...], schema, depth: 0)
        return printing.writer.bytes
    }

    mutating func message(_ content: ArraySlice<UInt8>, _ schema: MessageSchema, depth: Int) throws(Unreadable) {
        guard depth <= Self.maxDepth else { throw Unreadable() }
        if let special = schema.wellKnown, try wellKnown(special, content, schema, depth) { return }
        var isFirst = true
        writer.raw("{")
        try members(content, schema, depth, &isFirst)
        writer.raw("}")
    }

    mutating func members(
        _ content: ArraySlice<UInt8>, _ schema: MessageSchema, _ depth: Int, _ isFirst: inout Bool
    ) throws(Unreadable) {
        let parts = try MessageParts(content, schema)
        var rest = parts.all[...]
        while let first = rest.first {
            let field = schema.fields[first.place]
            let values = rest.prefix { $0.place == first.place }
            rest = rest[values.endIndex...]
            if field.isRepeated {
                // A packed field may hold nothing.
                guard values.contains(where: { !field.isPackable || $0.value.wireType != 2 || !$0.value.bytes.isEmpty }) else { continue }
                member(field, &isFirst)
                if !redact(field) { try items(values, field, depth) }
            } else if let value = MessageParts.single(values, field) {
                guard field.hasPresence || !Self.isDefault(value) else { continue }
                member(field, &isFirst)
                if !redact(field) { try self.value(value, field, depth) }
            }
        }
    }

    /// Whether something else is written in the place of what must not be told.
    private mutating func redact(_ field: FieldSchema) -> Bool {
        guard isRedacted, field.isPHI else { return false }
        writer.string("‹redacted›")
        return true
    }

    private mutating func member(_ field: FieldSchema, _ isFirst: inout Bool) {
        writer.comma(unless: &isFirst)
        writer.raw(field.jsonKey)
    }

    /// The values of a repeated field, as an array or as a map.
    mutating func items(_ parts: ArraySlice<MessageParts.Part>, _ field: FieldSchema, _ depth: Int) throws(Unreadable) {
        if let entry = contracts.message(of: field), entry.isMapEntry { return try map(parts, entry, depth) }
        var isFirst = true
        writer.raw("[")
        for part in parts {
            guard field.isPackable, part.value.wireType == 2 else {
                writer.comma(unless: &isFirst)
                try value(part.value, field, depth)
                continue
            }
            var packed = WireReader(part.value.bytes)
            while !packed.isAtEnd {
                guard let bits = packed.number(of: field.kind) else { throw Unreadable() }
                writer.comma(unless: &isFirst)
                try number(bits, field)
            }
        }
        writer.raw("]")
    }

    /// The last entry of a key wins, as on the wire.
    private mutating func map(_ entries: ArraySlice<MessageParts.Part>, _ entry: MessageSchema, _ depth: Int) throws(Unreadable) {
        guard let key = entry.field(1), let content = entry.field(2), depth < Self.maxDepth else { throw Unreadable() }
        var members: [(name: [UInt8], value: WireReader.Field?)] = []
        var places: [[UInt8]: Int] = [:]
        for part in entries {
            let parts = try MessageParts(part.value.bytes, entry)
            var name = JSONPrinting(contracts: contracts, redacted: isRedacted)
            try name.value(parts.single(1, key) ?? .absent(key), key, depth)
            let value = parts.single(2, content)
            if let place = places[name.writer.bytes] { members[place].value = value } else {
                places[name.writer.bytes] = members.count
                members.append((name.writer.bytes, value))
            }
        }
        var isFirst = true
        writer.raw("{")
        for member in members {
            writer.comma(unless: &isFirst)
            let isText = member.name.first == 0x22
            if !isText { writer.raw("\"") }
            writer.raw(member.name)
            if !isText { writer.raw("\"") }
            writer.raw(":")
            try value(member.value ?? .absent(content), content, depth + 1)
        }
        writer.raw("}")
    }

    mutating func value(_ part: WireReader.Field, _ field: FieldSchema, _ depth: Int) throws(Unreadable) {
        switch field.kind {
        case .string: writer.string(utf8: part.bytes)
        case .bytes: if isRedacted { writer.string("\(part.bytes.count) bytes") } else { writer.base64(part.bytes) }
        case .message:
            guard let schema = contracts.message(of: field) else { throw Unreadable() }
            try message(part.bytes, schema, depth: depth + 1)
        case .group: throw Unreadable()
        default: try number(part.value, field)
        }
    }

    private mutating func number(_ bits: UInt64, _ field: FieldSchema) throws(Unreadable) {
        switch field.kind {
        case .double:
            let number = Double(bitPattern: bits)
            writer.number(number, digits: String(number))
        case .float:
            let number = Float(bitPattern: UInt32(truncatingIfNeeded: bits))
            writer.number(Double(number), digits: String(number))
        case .bool: if bits != 0 { writer.raw("true") } else { writer.raw("false") }
        case .enumeration: enumeration(Int32(truncatingIfNeeded: bits), field)
        case .int32, .sfixed32: writer.number(Int32(truncatingIfNeeded: bits))
        case .sint32: writer.number(Int32(truncatingIfNeeded: Self.unzigzag(bits)))
        case .uint32, .fixed32: writer.number(UInt32(truncatingIfNeeded: bits))
        case .int64, .sfixed64: quoted(Int64(bitPattern: bits))
        case .sint64: quoted(Self.unzigzag(bits))
        case .uint64, .fixed64: quoted(bits)
        case .string, .bytes, .message, .group: throw Unreadable()
        }
    }

    private mutating func enumeration(_ number: Int32, _ field: FieldSchema) {
        if field.typeName == "google.protobuf.NullValue" { return writer.raw("null") }
        if let name = contracts.enumeration(of: field)?.nameByNumber[number] { writer.string(name) } else { writer.number(number) }
    }

    private mutating func quoted(_ number: some BinaryInteger) {
        writer.raw("\"")
        writer.number(number)
        writer.raw("\"")
    }

    private static func unzigzag(_ bits: UInt64) -> Int64 { Int64(bitPattern: bits >> 1) ^ -Int64(bitPattern: bits & 1) }

    /// What a field without presence leaves off the wire.
    private static func isDefault(_ part: WireReader.Field) -> Bool { part.value == 0 && part.bytes.isEmpty }
}
