/// The fields of one serialized message, those of one number side by side, in the order of their numbers. What the message's type lacks is
/// left out.
struct MessageParts {
    struct Part {
        /// Of the field among those of the type.
        let place: Int
        let value: WireReader.Field
    }

    /// The bytes are no message of their type, or nest too deep.
    struct Unreadable: Error {}

    private(set) var all: [Part] = []
    /// The place of the field that came last, which of a oneof's members is the one that counts.
    private(set) var last: Int?
    private let schema: MessageSchema

    /// Throws where the bytes are no message, or have a field in a form that its kind does not have.
    init(_ content: ArraySlice<UInt8>, _ schema: MessageSchema) throws(Unreadable) {
        self.schema = schema
        all.reserveCapacity(schema.fields.count)
        var reader = WireReader(content)
        var isOrdered = true
        while let value = reader.next() {
            guard let place = schema.place(value.number) else { continue }
            guard schema.fields[place].takes(value.wireType) else { throw Unreadable() }
            if let last, last > place { isOrdered = false }
            last = place
            all.append(Part(place: place, value: value))
        }
        guard reader.isAtEnd else { throw Unreadable() }
        // Few programs write them in another order. The places of equal ones keep it stable.
        if !isOrdered {
            all = all.enumerated().sorted { ($0.element.place, $0.offset) < ($1.element.place, $1.offset) }.map(\.element)
        }
    }

    /// The value of a field that is not repeated, by its number.
    func single(_ number: Int, _ field: FieldSchema) -> WireReader.Field? {
        guard let place = schema.place(number), let start = all.firstIndex(where: { $0.place == place }) else { return nil }
        return Self.single(all[start...].prefix { $0.place == place }, field)
    }

    /// The value of a field that is not repeated: the last, or of messages in pieces all together, which concatenating them does.
    static func single(_ parts: ArraySlice<Part>, _ field: FieldSchema) -> WireReader.Field? {
        guard field.kind == .message, parts.count > 1, let last = parts.last?.value else { return parts.last?.value }
        return WireReader.Field(number: last.number, wireType: last.wireType, value: 0, bytes: parts.flatMap(\.value.bytes)[...])
    }
}

extension FieldSchema {
    /// Whether a value of the kind can come in this form.
    fileprivate func takes(_ wireType: Int) -> Bool {
        switch kind {
        case .string, .bytes, .message: wireType == 2
        case .group: false
        default: wireType == numberWireType || wireType == 2 && isRepeated
        }
    }

    var numberWireType: Int {
        switch kind {
        case .double, .fixed64, .sfixed64: 1
        case .float, .fixed32, .sfixed32: 5
        default: 0
        }
    }
}

extension WireReader.Field {
    /// What stands for a value that is not there.
    static func absent(_ field: FieldSchema) -> WireReader.Field { .init(number: field.number, wireType: field.numberWireType, value: 0, bytes: []) }
}

extension WireReader {
    /// The bits of the next number of a packed field.
    mutating func number(of kind: FieldSchema.Kind) -> UInt64? {
        switch kind {
        case .double, .fixed64, .sfixed64: fixed(8)
        case .float, .fixed32, .sfixed32: fixed(4)
        default: varint()
        }
    }
}
