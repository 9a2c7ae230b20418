import RPC

/// A message written by hand: its bytes are the UTF-8 of a text. A text of "unreadable" stands for malformed bytes, one of "too deep"
/// for a message that is refused though it is one.
struct Note: Message, Equatable, ExpressibleByStringLiteral {
    static var fullName: String { "test.Note" }

    var text: String

    init(_ text: String) {
        self.text = text
    }

    init(stringLiteral text: String) {
        self.text = text
    }

    init(decoding bytes: RawSpan) throws(MalformedMessage) {
        text = String(decoding: [UInt8](copying: bytes), as: UTF8.self)
        if text == "unreadable" { throw MalformedMessage(messageName: Note.fullName, reason: "Its bytes make no sense.") }
        if text == "too deep" {
            throw MalformedMessage(messageName: Note.fullName, reason: "It is nested too deeply.", isWellFormed: true)
        }
    }

    func encode(_ write: (_ byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) -> Void) throws(MalformedMessage) {
        let bytes = Array(text.utf8)
        unsafe write(bytes.count) { place in unsafe place.copyBytes(from: bytes) }
    }
}

/// Methods that every suite may offer or call, with time enough for a busy machine.
enum Notes {
    static func method(_ name: String, _ kind: CallKind, timeout: MethodPolicy.TimeoutTier = .batch) -> Method<Note, Note> {
        Method(MethodDescriptor(service: "test.Notes", name: name, kind: kind, policy: .init(access: .anyone, timeout: timeout)))
    }

    static let say = method("Say", .unary)
    static let list = method("List", .serverStreaming)
    static let collect = method("Collect", .clientStreaming)
    static let chat = method("Chat", .bidirectional)
}

/// A service whose handlers each test chooses.
struct NotesService: RPCService {
    static var serviceName: String { "test.Notes" }

    var handlers: [MethodHandler]

    static let echo = MethodHandler.unary(Notes.say) { note, _ in note }
}
