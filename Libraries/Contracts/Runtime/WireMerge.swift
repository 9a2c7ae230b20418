internal import CContracts

/// Rewrites a message in which a message field comes more than once, so that it comes once.
///
/// Protobuf merges such parts: reading two messages one after another is reading their merge, so the contents of the
/// parts are joined. protobuf-c 1.4.1 forgets the earlier part's unknown fields, and in a oneof the whole earlier part.
/// The bytes have passed `WireCheck`. Only writers that build a message in pieces come here, so it may be slower than
/// reading, but anybody may pretend to be one: the time stays in proportion to the bytes at each depth.
enum WireMerge {
    /// The member of a oneof that was read last, and the places of its pieces.
    private struct Member {
        let index: Int
        var places: [Int] = []
    }

    static func merged(
        _ bytes: UnsafeRawBufferPointer, as descriptor: UnsafePointer<ProtobufCMessageDescriptor>
    ) -> [UInt8] {
        unsafe merged(ArraySlice([UInt8](bytes)), as: descriptor)
    }

    /// One field as it will be written: bytes, or the joined contents of a message.
    @safe
    private struct Piece {
        var tag: UInt64
        var bytes: ArraySlice<UInt8>
        var message: UnsafePointer<ProtobufCMessageDescriptor>?
    }

    private static func merged(
        _ bytes: ArraySlice<UInt8>, as descriptor: UnsafePointer<ProtobufCMessageDescriptor>
    ) -> [UInt8] {
        var pieces: [Piece?] = []
        /// Where each message that can be there once stands.
        var places: [Int: Int] = [:]
        var members: [UInt32: Member] = [:]
        var finder = unsafe FieldFinder(descriptor)
        var rest = bytes
        while let (tag, contents) = field(&rest) {
            guard let index = finder.index(of: UInt32(tag >> 3)) else {
                unsafe pieces.append(Piece(tag: tag, bytes: contents))
                continue
            }
            let field = unsafe descriptor.pointee.fields[index]
            let isOneof = unsafe field.flags & PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue != 0
            let oneof = unsafe isOneof ? field.quantifier_offset : nil
            if let oneof, let member = members[oneof], member.index != index {
                // Another member of the oneof replaces what was there.
                for place in member.places { pieces[place] = nil }
                places[member.index] = nil
                members[oneof] = nil
            }
            if let place = places[index] {
                pieces[place]?.bytes.append(contentsOf: contents)
                continue
            }
            if let oneof { members[oneof, default: Member(index: index)].places.append(pieces.count) }
            guard unsafe field.type == PROTOBUF_C_TYPE_MESSAGE else {
                unsafe pieces.append(Piece(tag: tag, bytes: contents))
                continue
            }
            if unsafe field.label != PROTOBUF_C_LABEL_REPEATED { places[index] = pieces.count }
            let nested = unsafe field.descriptor.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)
            unsafe pieces.append(Piece(tag: tag, bytes: contents, message: nested))
        }
        return written(pieces)
    }

    private static func written(_ pieces: [Piece?]) -> [UInt8] {
        var bytes: [UInt8] = []
        for case let piece? in pieces {
            Varint.append(piece.tag, to: &bytes)
            let contents = unsafe piece.message.map { unsafe merged(piece.bytes, as: $0)[...] } ?? piece.bytes
            if piece.tag & 7 == 2 { Varint.append(UInt64(contents.count), to: &bytes) }
            bytes.append(contentsOf: contents)
        }
        return bytes
    }

    /// The next field: its tag, and its contents without their length.
    private static func field(_ bytes: inout ArraySlice<UInt8>) -> (tag: UInt64, contents: ArraySlice<UInt8>)? {
        guard let (tag, tagByteCount) = Varint.read(bytes, at: 0) else { return nil }
        bytes = bytes.dropFirst(tagByteCount)
        let count: Int
        switch tag & 7 {
        case 0: count = Varint.read(bytes, at: 0)?.byteCount ?? 0
        case 1: count = 8
        case 5: count = 4
        default:
            guard let (length, lengthByteCount) = Varint.read(bytes, at: 0) else { return nil }
            bytes = bytes.dropFirst(lengthByteCount)
            count = Int(length)
        }
        let contents = bytes.prefix(count)
        bytes = bytes.dropFirst(count)
        return (tag, contents)
    }
}
