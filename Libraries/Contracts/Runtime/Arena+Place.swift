internal import CContracts
internal import Glibc
package import RPC

/// Puts Swift values where protobuf-c can read them.
extension Arena {
    package mutating func string(
        _ string: String, field: StaticString
    ) throws(MalformedMessage) -> UnsafeMutablePointer<CChar> {
        var string = string
        let (text, holdsNUL) = string.withUTF8 { utf8 in
            let text = unsafe allocate(byteCount: utf8.count + 1).assumingMemoryBound(to: CChar.self)
            guard let start = utf8.baseAddress, !utf8.isEmpty else {
                unsafe text[0] = 0
                return unsafe (text, false)
            }
            unsafe memcpy(text, start, utf8.count)
            unsafe text[utf8.count] = 0
            return unsafe (text, memchr(start, 0, utf8.count) != nil)
        }
        guard !holdsNUL else {
            throw MalformedMessage(field: field, reason: "holds U+0000, which text in a message must not.")
        }
        return unsafe text
    }

    package mutating func bytes(_ bytes: [UInt8]) -> UnsafeMutablePointer<UInt8> {
        unsafe array(bytes)
    }

    package mutating func array<T: BitwiseCopyable>(_ values: [T]) -> UnsafeMutablePointer<T> {
        let place = unsafe allocate(T.self, count: values.count)
        unsafe values.withUnsafeBufferPointer { values in
            guard let start = values.baseAddress else { return }
            unsafe place.initialize(from: start, count: values.count)
        }
        return unsafe place
    }

    package mutating func list<Element, C>(
        _ values: [Element], _ place: (Element, inout Arena) throws(MalformedMessage) -> C
    ) throws(MalformedMessage) -> UnsafeMutablePointer<C> {
        let places = unsafe allocate(C.self, count: values.count)
        for (index, value) in values.enumerated() {
            unsafe (places + index).initialize(to: try place(value, &self))
        }
        return unsafe places
    }

    package mutating func strings(
        _ strings: [String], field: StaticString
    ) throws(MalformedMessage) -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> {
        try unsafe list(strings) { string, arena throws(MalformedMessage) in
            try unsafe arena.string(string, field: field)
        }
    }

    package mutating func message<M: ContractMessage, C>(
        _ message: M
    ) throws(MalformedMessage) -> UnsafeMutablePointer<C> {
        try unsafe message.place(in: &self).assumingMemoryBound(to: C.self)
    }

    package mutating func messages<M: ContractMessage, C>(
        _ messages: [M]
    ) throws(MalformedMessage) -> UnsafeMutablePointer<UnsafeMutablePointer<C>?> {
        try unsafe list(messages) { message, arena throws(MalformedMessage) in
            try unsafe arena.message(message)
        }
    }

    /// Entries in the order of their keys, so that equal messages are equal bytes.
    package mutating func map<Key: MapKey, Value, C>(
        _ dictionary: [Key: Value],
        _ fill: (Key, Value, UnsafeMutablePointer<C>, inout Arena) throws(MalformedMessage) -> Void
    ) throws(MalformedMessage) -> UnsafeMutablePointer<UnsafeMutablePointer<C>?> {
        let entries = unsafe allocate(UnsafeMutablePointer<C>?.self, count: dictionary.count)
        for (index, entry) in dictionary.sorted(by: { Key.areInOrder($0.key, $1.key) }).enumerated() {
            let place = unsafe allocate(C.self)
            try unsafe fill(entry.key, entry.value, place, &self)
            unsafe (entries + index).initialize(to: place)
        }
        return unsafe entries
    }

    /// Hands unknown fields to protobuf-c as one: the first tag, and the rest as its contents.
    package mutating func unknownFields(
        _ bytes: [UInt8], of message: UnsafeMutableRawPointer
    ) throws(MalformedMessage) {
        let message = unsafe message.assumingMemoryBound(to: ProtobufCMessage.self)
        guard let (tag, tagByteCount) = Varint.read(bytes, at: 0), tag >> 3 > 0, tag >> 3 <= UInt64(UInt32.max >> 3),
            Varint.byteCount(tag) == tagByteCount
        else {
            throw unsafe MalformedMessage(
                messageName: String(cString: message.pointee.descriptor.pointee.name),
                reason: "Its unknown fields do not start with a tag.")
        }
        let place = unsafe array(bytes)
        let field = unsafe allocate(ProtobufCMessageUnknownField.self)
        unsafe field.initialize(
            to: ProtobufCMessageUnknownField(
                tag: UInt32(tag >> 3), wire_type: ProtobufCWireType(rawValue: UInt32(tag & 7)),
                len: bytes.count - tagByteCount, data: place + tagByteCount))
        unsafe message.pointee.n_unknown_fields = 1
        unsafe message.pointee.unknown_fields = field
    }
}
