import HTTP2

/// Turns an input into what the other end of a connection does, one step after the other. Most steps are frames whose
/// length is right, so that what is behind the first nine bytes is reached; some lie.
struct PeerScript {
    enum Step {
        /// The other end sends these bytes.
        case bytes([UInt8])
        /// This end does something: which, and on which stream.
        case local(UInt8, HTTP2StreamID, UInt8)
    }

    static let clientPreface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    private var input: FuzzInput
    private var nextRequest: UInt32 = 1

    init(_ input: FuzzInput) {
        self.input = input
    }

    mutating func next() -> Step? {
        guard !input.isEmpty else { return nil }
        let step = input.byte()
        switch step % 32 {
        case 0...9:
            let flags = input.byte()
            let stream = streamNumber()
            return .bytes(Frame.bytes(step % 32, flags: flags, stream: stream, input.counted()))
        case 10:
            let header = input.bytes(9)
            return .bytes(header + input.counted())
        case 11:
            return .bytes(input.counted())
        case 12, 13, 14:
            let stream = nextRequest
            nextRequest &+= 2
            let choice = input.byte()
            let headers = Frame.headers(FieldBlocks.request(choice, &input), stream: stream, end: choice & 0x80 != 0)
            guard choice & 0x40 != 0, choice & 0x80 == 0 else { return .bytes(headers) }
            return .bytes(headers + Frame.message(input.counted(), stream: stream, end: true))
        case 15, 16:
            let flags = input.byte()
            return .bytes(Frame.message(input.counted(), stream: streamNumber(), end: flags & 1 != 0))
        case 17, 18:
            let choice = input.byte()
            let stream = streamNumber()
            return .bytes(Frame.headers(FieldBlocks.response(choice, &input), stream: stream, end: choice & 0x80 != 0))
        case 19:
            let size = UInt32(input.byte()) << 16 | UInt32(input.byte())
            return .bytes(Frame.bytes(8, flags: 0, stream: streamNumber(), Frame.word(size)))
        case 20:
            return .bytes(Frame.bytes(3, flags: 0, stream: streamNumber(), Frame.word(UInt32(input.byte()))))
        case 21:
            let id = input.byte()
            let value = UInt32(input.byte()) << 24 | UInt32(input.byte()) << 8 | UInt32(input.byte())
            return .bytes(Frame.bytes(4, flags: 0, stream: 0, [0, id] + Frame.word(value)))
        default:
            return .local(step % 32, HTTP2StreamID(bitPattern: streamNumber() & 0x7fff_ffff), input.byte())
        }
    }

    /// Mostly the small numbers that streams have; seldom the ends of their range, or one with the reserved bit set.
    private mutating func streamNumber() -> UInt32 {
        let byte = input.byte()
        switch byte {
        case 0...127: return UInt32(byte)
        case 128...250: return UInt32(byte - 128) * 2 + 1
        case 251: return 0x7fff_ffff
        case 252: return 0x7fff_fffe
        case 253: return 0x8000_0000
        default: return 0x8000_0000 | UInt32(byte)
        }
    }
}

/// Frames of HTTP/2, byte for byte.
enum Frame {
    static func bytes(_ type: UInt8, flags: UInt8, stream: UInt32, _ payload: [UInt8]) -> [UInt8] {
        let count = UInt32(payload.count)
        return word(count).dropFirst() + [type, flags] + word(stream) + payload
    }

    static func headers(_ block: [UInt8], stream: UInt32, end: Bool) -> [UInt8] {
        bytes(1, flags: end ? 0x5 : 0x4, stream: stream, block)
    }

    /// DATA that holds one gRPC message.
    static func message(_ message: [UInt8], stream: UInt32, end: Bool) -> [UInt8] {
        bytes(0, flags: end ? 1 : 0, stream: stream, [0] + word(UInt32(message.count)) + message)
    }

    static func word(_ value: UInt32) -> [UInt8] {
        [UInt8(truncatingIfNeeded: value >> 24), UInt8(truncatingIfNeeded: value >> 16), UInt8(truncatingIfNeeded: value >> 8),
            UInt8(truncatingIfNeeded: value)]
    }
}

/// Header blocks of calls that are right but for what the input changes about them.
enum FieldBlocks {
    static let methods = ["/fuzz.Echo/Unary", "/fuzz.Echo/Upload", "/fuzz.Echo/Download", "/fuzz.Echo/Both", "/fuzz.Echo/Wait"]

    static func request(_ choice: UInt8, _ input: inout FuzzInput) -> [UInt8] {
        var fields = [
            (":method", "POST"), (":scheme", "http"), (":path", methods[Int(choice & 7) % methods.count]), (":authority", "a"),
            ("content-type", "application/grpc"), ("te", "trailers"),
        ]
        if choice & 0x08 != 0 { fields.append(("grpc-timeout", text(input.counted()))) }
        if choice & 0x10 != 0 { fields.append((text(input.counted()), text(input.counted()))) }
        if choice & 0x20 != 0 { fields.remove(at: Int(input.byte()) % fields.count) }
        return block(fields)
    }

    static func response(_ choice: UInt8, _ input: inout FuzzInput) -> [UInt8] {
        switch choice & 7 {
        case 0, 1: block([(":status", "200"), ("content-type", "application/grpc")])
        case 2: block([("grpc-status", "0")])
        case 3: block([("grpc-status", text(input.counted())), ("grpc-message", text(input.counted()))])
        case 4: block([(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "5")])
        case 5: block([(":status", "103")])
        case 6: block([(":status", text(input.counted()))])
        default: block([(text(input.counted()), text(input.counted()))])
        }
    }

    private static func text(_ bytes: [UInt8]) -> String {
        String(decoding: bytes, as: UTF8.self)
    }

    /// Fields as literals without an index (RFC 7541, section 6.2.2).
    static func block(_ fields: [(String, String)]) -> [UInt8] {
        fields.flatMap { [0] + literal($0.0) + literal($0.1) }
    }

    private static func literal(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8.prefix(126))
        return [UInt8(bytes.count)] + bytes
    }
}
