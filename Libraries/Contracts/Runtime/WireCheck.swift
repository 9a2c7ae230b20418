internal import CContracts
internal import Glibc
internal import RPC

/// Walks the bytes of a message before protobuf-c does, and refuses what protobuf-c would get wrong or answer without
/// a reason: depth without bound, text cut at U+0000, groups, field number 0, a wire type that is not the field's.
///
/// It reads each tag and length once, allocates nothing, and takes about as long as protobuf-c's own scan.
@safe
struct WireCheck {
    private let bytes: UnsafeRawBufferPointer
    /// Whether a message that can be there once is there twice. Its parts must be merged, which protobuf-c does only
    /// for some of them.
    private(set) var hasRepeatedMessage = false

    /// What other implementations allow by default.
    static let deepest = 100

    init(_ bytes: UnsafeRawBufferPointer) { unsafe self.bytes = bytes }

    /// - Throws: `MalformedMessage` naming the innermost message that is wrong.
    mutating func message(_ descriptor: UnsafePointer<ProtobufCMessageDescriptor>) throws(MalformedMessage) {
        try unsafe fields(of: descriptor, from: 0, to: bytes.count, depth: 0)
    }

    private mutating func fields(
        of descriptor: UnsafePointer<ProtobufCMessageDescriptor>, from start: Int, to end: Int, depth: Int
    ) throws(MalformedMessage) {
        guard depth <= Self.deepest else {
            // What is deeper is not looked at; as far as it was, it is a message.
            throw unsafe fault(
                descriptor, "It is nested deeper than \(Self.deepest) messages, which is the most that is read.", isWellFormed: true)
        }
        var position = start
        var finder = unsafe FieldFinder(descriptor)
        var seen = SeenFields()
        while position < end {
            guard let tag = varint(&position, end), tag <= UInt64(UInt32.max), tag >> 3 > 0 else {
                throw unsafe fault(descriptor, "A field does not start with a tag.")
            }
            let number = UInt32(tag >> 3)
            let wireType = UInt32(tag & 7)
            guard let contents = contents(wireType, &position, end) else {
                throw unsafe fault(descriptor, "Field \(number) is cut short, or of wire type \(wireType).")
            }
            guard let index = finder.index(of: number) else { continue }
            let field = unsafe descriptor.pointee.fields + index
            guard unsafe Self.accepts(field, wireType) else {
                throw unsafe fault(descriptor, "Field \(number) has the wire type \(wireType), which its type has not.")
            }
            switch unsafe field.pointee.type {
            case PROTOBUF_C_TYPE_STRING:
                if let text = unsafe bytes.baseAddress, unsafe memchr(text + contents.lowerBound, 0, contents.count) != nil {
                    throw unsafe fault(
                        descriptor, "Field \(number) holds U+0000, which text in a message must not.", isWellFormed: true)
                }
            case PROTOBUF_C_TYPE_MESSAGE:
                if unsafe field.pointee.label != PROTOBUF_C_LABEL_REPEATED && seen.insert(index) {
                    hasRepeatedMessage = true
                }
                let nested = unsafe field.pointee.descriptor.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)
                try unsafe fields(of: nested, from: contents.lowerBound, to: contents.upperBound, depth: depth + 1)
            default:
                break
            }
        }
    }

    /// Whether a field of this type may come with this wire type. What can be packed may come packed or not.
    private static func accepts(_ field: UnsafePointer<ProtobufCFieldDescriptor>, _ wireType: UInt32) -> Bool {
        let own: UInt32
        switch unsafe field.pointee.type {
        case PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_BYTES, PROTOBUF_C_TYPE_MESSAGE: return wireType == 2
        case PROTOBUF_C_TYPE_SFIXED64, PROTOBUF_C_TYPE_FIXED64, PROTOBUF_C_TYPE_DOUBLE: own = 1
        case PROTOBUF_C_TYPE_SFIXED32, PROTOBUF_C_TYPE_FIXED32, PROTOBUF_C_TYPE_FLOAT: own = 5
        default: own = 0
        }
        return unsafe wireType == own || (wireType == 2 && field.pointee.label == PROTOBUF_C_LABEL_REPEATED)
    }

    /// Where the contents of a field lie; `position` moves behind them.
    @inline(__always)
    private func contents(_ wireType: UInt32, _ position: inout Int, _ end: Int) -> Range<Int>? {
        let count: Int
        let start: Int
        switch wireType {
        case 0:
            start = position
            guard varint(&position, end) != nil else { return nil }
            return start..<position
        case 1: count = 8
        case 5: count = 4
        case 2:
            guard let length = varint(&position, end), length <= UInt64(end - position) else { return nil }
            count = Int(length)
        default: return nil
        }
        guard count <= end - position else { return nil }
        start = position
        position += count
        return start..<position
    }

    @inline(__always)
    private func varint(_ position: inout Int, _ end: Int) -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < end && shift < UInt64(7 * Varint.longest) {
            let byte = unsafe bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }

    private func fault(
        _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>, _ reason: String, isWellFormed: Bool = false
    ) -> MalformedMessage {
        unsafe MalformedMessage(
            messageName: String(cString: descriptor.pointee.name), reason: reason, isWellFormed: isWellFormed)
    }
}

/// Finds fields by number. Fields come in order, so the next one is mostly the one behind the last.
@safe
struct FieldFinder {
    private let fields: UnsafePointer<ProtobufCFieldDescriptor>?
    private let count: Int
    private var last = 0

    init(_ descriptor: UnsafePointer<ProtobufCMessageDescriptor>) {
        unsafe fields = descriptor.pointee.fields
        count = unsafe Int(descriptor.pointee.n_fields)
    }

    /// The place of the field in the descriptor, or `nil` for a number that the contract does not have.
    @inline(__always)
    mutating func index(of number: UInt32) -> Int? {
        guard let fields = unsafe fields else { return nil }
        if last < count, unsafe fields[last].id == number { return last }
        if last + 1 < count, unsafe fields[last + 1].id == number {
            last += 1
            return last
        }
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if unsafe fields[middle].id < number { low = middle + 1 } else { high = middle }
        }
        guard low < count, unsafe fields[low].id == number else { return nil }
        last = low
        return low
    }
}

/// Which of at most 128 fields were seen; the generator refuses a message with more.
struct SeenFields {
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    /// Whether the field was there already.
    mutating func insert(_ index: Int) -> Bool {
        let bit: UInt64 = 1 << UInt64(index & 63)
        if index < 64 {
            defer { low |= bit }
            return low & bit != 0
        }
        defer { high |= bit }
        return high & bit != 0
    }
}
