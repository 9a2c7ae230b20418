import Contracts
import RPC
import TestContracts
import Testing

@Suite struct `Hostile bytes` {
    @Test func `that end anywhere are an error or a message, never a crash`() throws {
        for value in GoldenValue.all where value.bytes.count < 400 {
            let type = try #require(GoldenValue.types[value.message])
            for end in 0..<value.wire.count {
                _ = try? type.init(decoding: Array(value.wire[..<end]))  // Either answer is right.
            }
        }
    }

    @Test func `changed at random are an error or a message that can be written again`() throws {
        var random = SeededRandom(seed: UInt64.random(in: 0...UInt64.max))
        print("seed \(random.seed)")
        let ours = try GoldenValue.all.filter { !$0.bytes.isEmpty }
            .map { (try #require(GoldenValue.types[$0.message]), $0.wire) }
        let kitchen = try KitchenDish.all.map { (type(of: $0.message), try $0.message.serialized()) }
            .filter { !$0.1.isEmpty }

        for round in 0..<20_000 {
            // Every other one from the kitchen, which has what our contracts do not use yet.
            guard let (type, wire) = (round % 2 == 0 ? ours : kitchen).randomElement(using: &random) else { return }
            var bytes = wire
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) { bytes += wire }
            if let message = try? type.init(decoding: bytes) {
                let written = try message.serialized()
                #expect(try type.init(decoding: written).serialized() == written, "seed \(random.seed)")
            }
        }
    }

    @Test func `that promise more than they hold are refused`() {
        // Field 1, length 2^31 - 1.
        #expect(throws: MalformedMessage.self) {
            try UsersV1.User(decoding: [0x0a, 0xff, 0xff, 0xff, 0xff, 0x07, 0x61])
        }
        // A varint of eleven bytes.
        #expect(throws: MalformedMessage.self) {
            try UsersV1.User(decoding: [0x58] + [UInt8](repeating: 0xff, count: 11))
        }
    }

    @Test func `with text that is not UTF-8 or holds U+0000 are refused, not cut`() {
        #expect(throws: MalformedMessage.self) { try UsersV1.User(decoding: [0x12, 0x02, 0xc3, 0x28]) }
        #expect(throws: MalformedMessage.self) { try UsersV1.User(decoding: [0x12, 0x03, 0x61, 0x00, 0x62]) }
        #expect(throws: MalformedMessage.self) { try UsersV1.User(name: "a\0b").serialized() }
    }

    @Test func `that nest deeper than a hundred messages are refused`() {
        // A google.protobuf.Value that holds a list that holds a Value and so on, built from the inside.
        var bytes: [UInt8] = [0x08, 0x00]
        for _ in 0..<120 {
            bytes = Self.field(6, Self.field(1, bytes))
        }

        #expect {
            try GoogleProtobuf.Value(decoding: bytes)
        } throws: { error in
            // The caller's mistake, and so INVALID_ARGUMENT; what is no message at all is INTERNAL.
            (error as? MalformedMessage)?.isWellFormed == true
        }
    }

    @Test func `that hide their depth in one Any after another are written as JSON without their depths`() throws {
        var bytes: [UInt8] = []
        for _ in 0..<5_000 {
            bytes = Self.field(1, Array("type.googleapis.com/google.protobuf.Any".utf8)) + Self.field(2, bytes)
        }
        let bridge = try #require(JSONBridge("google.protobuf.Any"))

        let json = try #require(bridge.json(of: bytes))

        #expect(json.count < 2_000)
    }

    enum Parts: CaseIterable {
        case ofOneMessage, ofOneofMembersInTurn

        /// A million bytes. What takes time in the square of them would take an hour.
        var bytes: [UInt8] {
            switch self {
            case .ofOneMessage:
                let name = `Hostile bytes`.field(1, [UInt8](repeating: 0x20, count: 500_000))
                return `Hostile bytes`.field(2, name) + `Hostile bytes`.repeated([0x12, 0x00], 250_000)
            case .ofOneofMembersInTurn:
                return [0x32, 0x00, 0x32, 0x00] + `Hostile bytes`.repeated([0x40, 0x01, 0x28, 0x01], 250_000)
            }
        }
    }

    @Test(.timeLimit(.minutes(2)), arguments: Parts.allCases)
    func `that come in very many parts are read in time proportional to them`(parts: Parts) {
        let bytes = parts.bytes

        // Either answer is right, as long as there is one.
        _ = try? KitchenV1.Tree(decoding: bytes)
        _ = try? KitchenV1.Choice(decoding: bytes)
    }

    @Test func `of many empty messages cannot take far more memory than they are long`() {
        // Two bytes each on the wire, an object of some hundred bytes each in memory.
        let bytes = [UInt8](repeating: 0, count: 2_000_000).enumerated().map { $0.offset % 2 == 0 ? UInt8(0x0a) : 0 }

        #expect(throws: MalformedMessage.self) { try VitalsV1.RecordObservationsRequest(decoding: bytes) }
    }

    fileprivate static func repeated(_ bytes: [UInt8], _ count: Int) -> [UInt8] {
        [UInt8](repeatElement(bytes, count: count).joined())
    }

    fileprivate static func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
        var length = content.count
        var prefix: [UInt8] = [number << 3 | 2]
        while length >= 0x80 {
            prefix.append(UInt8(length & 0x7f) | 0x80)
            length >>= 7
        }
        return prefix + [UInt8(length)] + content
    }
}

/// SplitMix64, so that a failure can be repeated from its seed.
struct SeededRandom: RandomNumberGenerator {
    let seed: UInt64
    private var state: UInt64

    init(seed: UInt64) {
        self.seed = seed
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return bits ^ (bits >> 31)
    }
}
