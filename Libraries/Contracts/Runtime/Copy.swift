internal import CContracts
package import RPC

/// Copies values out of what protobuf-c unpacked. Nothing borrowed survives.
package enum Copy {
    /// The text of a C string, whose wire form was checked to hold no U+0000.
    package static func string(
        _ text: UnsafeMutablePointer<CChar>?, field: StaticString
    ) throws(MalformedMessage) -> String {
        guard let text = unsafe text else { return "" }
        guard let string = unsafe String(validatingCString: text) else {
            throw MalformedMessage(field: field, reason: "holds text that is not UTF-8.")
        }
        return string
    }

    package static func bytes(_ count: Int, _ bytes: UnsafeMutablePointer<UInt8>?) -> [UInt8] {
        unsafe array(count, bytes)
    }

    package static func array<T: BitwiseCopyable>(_ count: Int, _ values: UnsafeMutablePointer<T>?) -> [T] {
        unsafe [T](UnsafeBufferPointer(start: values, count: count))
    }

    package static func list<C, T>(
        _ count: Int, _ values: UnsafeMutablePointer<C>?,
        _ copy: (UnsafeMutablePointer<C>) throws(MalformedMessage) -> T
    ) throws(MalformedMessage) -> [T] {
        guard count > 0, let values = unsafe values else { return [] }
        var copies: [T] = []
        copies.reserveCapacity(count)
        for index in 0..<count { copies.append(try unsafe copy(values + index)) }
        return copies
    }

    package static func message<C, M: ContractMessage>(
        _ message: UnsafeMutablePointer<C>?, as type: M.Type
    ) throws(MalformedMessage) -> M? {
        guard let message = unsafe message else { return nil }
        return try unsafe M(copying: UnsafeRawPointer(message))
    }

    package static func messages<C, M: ContractMessage>(
        _ count: Int, _ messages: UnsafeMutablePointer<UnsafeMutablePointer<C>?>?
    ) throws(MalformedMessage) -> [M] {
        try unsafe list(count, messages) { message throws(MalformedMessage) in
            try unsafe self.message(message.pointee, as: M.self) ?? M()
        }
    }

    /// The last entry of a key wins, as everywhere in protobuf.
    package static func map<C, Key: Hashable, Value>(
        _ count: Int, _ entries: UnsafeMutablePointer<UnsafeMutablePointer<C>?>?,
        _ copy: (UnsafeMutablePointer<C>) throws(MalformedMessage) -> (Key, Value)
    ) throws(MalformedMessage) -> [Key: Value] {
        guard count > 0, let entries = unsafe entries else { return [:] }
        var dictionary: [Key: Value] = [:]
        dictionary.reserveCapacity(count)
        for index in 0..<count {
            guard let entry = unsafe entries[index] else { continue }
            let (key, value) = try unsafe copy(entry)
            dictionary[key] = value
        }
        return dictionary
    }

    /// Tag and contents of each unknown field, one after another, as they came.
    package static func unknownFields(of message: UnsafeRawPointer) -> [UInt8] {
        let message = unsafe message.assumingMemoryBound(to: ProtobufCMessage.self)
        let count = unsafe Int(message.pointee.n_unknown_fields)
        guard count > 0, let fields = unsafe message.pointee.unknown_fields else { return [] }
        var bytes: [UInt8] = []
        for index in 0..<count {
            let field = unsafe fields[index]
            Varint.append(unsafe UInt64(field.tag) << 3 | UInt64(field.wire_type.rawValue), to: &bytes)
            unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: field.data, count: field.len))
        }
        return bytes
    }
}

extension MalformedMessage {
    /// About one field. The name of a field is no secret; what it holds is.
    init(field: StaticString, reason: String) {
        let name = "\(field)"
        let message = name.split(separator: ".").dropLast().joined(separator: ".")
        self.init(messageName: message, reason: "\(name) \(reason)")
    }
}
