import Foundation
import Testing

@testable import Contracts

@Suite struct `The JSON of a message` {
    @Test(arguments: GoldenValue.all.filter { $0.bytes.count < 2_000 })
    func `is the same in whatever order its fields came`(value: GoldenValue) throws {
        let bridge = try #require(JSONBridge(value.message))
        let fields = Array(WireReader(value.wire[...]))
        var writer = WireWriter()
        for number in Set(fields.map(\.number)).sorted(by: >) {
            for field in fields where field.number == number { writer.copy(field) }
        }

        #expect(bridge.json(of: writer.bytes) == bridge.json(of: value.wire))
    }

    @Test func `puts a message together that came in pieces`() throws {
        let bridge = try #require(JSONBridge("heartguard.chat.v1.CreateSessionResponse"))
        var writer = WireWriter()
        for (number, text) in [(1, "one"), (2, "title"), (1, "two")] {
            var piece = WireWriter()
            piece.text(number, text)
            writer.lengthDelimited(1, piece.bytes)
        }

        let json = try JSONSerialization.jsonObject(with: Data(try #require(bridge.json(of: writer.bytes)))) as? [String: [String: String]]

        #expect(json == ["session": ["id": "two", "title": "title"]])
    }

    @Test(arguments: [[0xFF], [0x0A], [0x0A, 0x82], [0x0A, 0x05, 0x61], [0x0A, 0x00, 0xFF]] as [[UInt8]])
    func `is none where its bytes break off`(bytes: [UInt8]) throws {
        let bridge = try #require(JSONBridge("heartguard.chat.v1.CreateSessionResponse"))

        #expect(bridge.json(of: bytes) == nil)
    }

    @Test func `escapes what JSON does not take as it is`() {
        var writer = JSONWriter()
        writer.string("a\"b\\c\n\r\t\u{1}\u{1f}ü\u{2028}")

        #expect(String(decoding: writer.bytes, as: UTF8.self) == #""a\"b\\c\n\r\t\u0001\u001fü"# + "\u{2028}\"")
    }
}

extension WireWriter {
    fileprivate mutating func copy(_ field: WireReader.Field) {
        switch field.wireType {
        case 2: lengthDelimited(field.number, Array(field.bytes))
        case 1, 5:
            tag(field.number, field.wireType)
            fixed(field.value, byteCount: field.wireType == 1 ? 8 : 4)
        default:
            tag(field.number, 0)
            varint(field.value)
        }
    }
}
