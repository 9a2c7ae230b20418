/// Events in the order in which they happened, and what their ranges refer to. A batch is handed back to the session to
/// be filled again, so that a connection in full swing allocates nothing for what arrives on it.
package struct HTTP2Batch: Sendable {
    package var events: [HTTP2Event] = []
    package var body: [UInt8] = []
    private var fields: [Field] = []
    private var fieldText: [UInt8] = []

    /// Where a field stands in the text: its name, and its value right behind.
    private struct Field {
        let start: Int
        let nameCount: Int
        let valueCount: Int
    }

    package init() {}

    package var fieldCount: Int { fields.count }

    mutating func addField(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        fields.append(Field(start: fieldText.count, nameCount: name.count, valueCount: value.count))
        unsafe fieldText.append(contentsOf: name)
        unsafe fieldText.append(contentsOf: value)
    }

    /// Takes the fields from the given one on out of another batch.
    mutating func takeFields(from first: Int, of other: inout HTTP2Batch) {
        for field in other.fields[first...] {
            let end = field.start + field.nameCount + field.valueCount
            let moved = Field(start: fieldText.count, nameCount: field.nameCount, valueCount: field.valueCount)
            fieldText.append(contentsOf: other.fieldText[field.start..<end])
            fields.append(moved)
        }
        other.fields.removeSubrange(first...)
    }

    /// Shows each field of a block of headers, in the order of sending. Names are lower-case, and those that begin with
    /// ':' are HTTP/2's own and come first.
    package func forEachField(in range: Range<Int>, _ body: (_ name: RawSpan, _ value: RawSpan) -> Void) {
        let text = unsafe fieldText.span.bytes
        for field in fields[range] {
            let value = field.start + field.nameCount
            body(
                text.extracting(field.start..<value),
                text.extracting(value..<value + field.valueCount)
            )
        }
    }

    /// The fields of a block of headers as values of their own.
    package func headers(_ range: Range<Int>) -> [HTTP2Header] {
        var headers: [HTTP2Header] = []
        headers.reserveCapacity(range.count)
        forEachField(in: range) { name, value in
            headers.append(HTTP2Header(String(copying: name), String(copying: value)))
        }
        return headers
    }

    /// What a batch may keep for the next one. More than that was an exception.
    private static let maxKeptBytes = 64 << 10

    mutating func empty() {
        events.removeAll(keepingCapacity: events.capacity <= 4_096)
        body.removeAll(keepingCapacity: body.capacity <= HTTP2Batch.maxKeptBytes)
        fields.removeAll(keepingCapacity: fields.capacity <= 4_096)
        fieldText.removeAll(keepingCapacity: fieldText.capacity <= HTTP2Batch.maxKeptBytes)
    }
}
