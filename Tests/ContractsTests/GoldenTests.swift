import Contracts
import Foundation
import RPC
import Testing

@Suite struct `A value that Python protobuf wrote` {
    @Test func `is there for every message of the contracts`() {
        #expect(GoldenValue.all.count >= 400)
        #expect(Set(GoldenValue.all.map(\.message)) == Set(GoldenValue.types.keys))
        for method in ContractRegistry.methods where method.requestName.hasPrefix("heartguard.") {
            #expect(GoldenValue.types[method.requestName] != nil)
            #expect(GoldenValue.types[method.responseName] != nil)
        }
    }

    @Test(arguments: GoldenValue.all) func `is read and written back to the same bytes`(value: GoldenValue) throws {
        let type = try #require(GoldenValue.types[value.message])

        #expect(try type.init(decoding: value.wire).serialized() == value.wire)
    }

    @Test(arguments: GoldenValue.all) func `has the same JSON here and there`(value: GoldenValue) throws {
        let json = try #require(JSONBridge(value.message)?.json(of: value.wire))

        let ours = try JSONSerialization.jsonObject(with: Data(json)) as? NSDictionary
        let theirs = try JSONSerialization.jsonObject(with: Data(value.json.utf8)) as? NSDictionary
        #expect(ours == theirs)
    }

    @Test(arguments: GoldenValue.all) func `is read from its JSON to the same bytes`(value: GoldenValue) throws {
        let bridge = try #require(JSONBridge(value.message))

        let type = try #require(GoldenValue.types[value.message])
        let bytes = try bridge.bytes(ofJSON: Array(value.json.utf8))
        // A map's order is the sender's; reading and writing puts it in ours.
        #expect(try type.init(decoding: bytes).serialized() == value.wire)
    }

    @Test(arguments: GoldenValue.all.filter { $0.bytes.count < 2_000 })
    func `with fields of a newer contract keeps them`(value: GoldenValue) throws {
        let type = try #require(GoldenValue.types[value.message])
        // Field 20000 as a varint, and field 20001 as text.
        let newer: [UInt8] = value.wire + [0x80, 0xe2, 0x09, 0x07, 0x8a, 0xe2, 0x09, 0x03, 0x6e, 0x65, 0x77]

        let message = try type.init(decoding: newer)

        #expect(try message.serialized() == newer)
    }
}
