import Contracts
import Foundation
import RPC
import TestContracts
import Testing

/// A value of the kitchen-sink contract, which says everything that proto3 can say, written by Python protobuf.
struct KitchenValue: Decodable, Sendable, CustomTestStringConvertible {
    let name: String
    let message: String
    let bytes: Data
    let json: String

    var wire: [UInt8] { [UInt8](bytes) }
    var testDescription: String { name }

    /// Every value of the file that make_kitchen.py writes, by its name.
    static let all: [String: KitchenValue] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/kitchen.jsonl")
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { return [:] }
        let values = text.split(separator: "\n").compactMap {
            try? JSONDecoder().decode(KitchenValue.self, from: Data($0.utf8))
        }
        return Dictionary(uniqueKeysWithValues: values.map { ($0.name, $0) })
    }()
}

@Suite struct `What proto3 can say` {
    @Test(arguments: KitchenDish.all) func `is in Swift what it was in Python, and back`(dish: KitchenDish) throws {
        let value = try #require(KitchenValue.all[dish.name])

        #expect(value.message == type(of: dish.message).fullName)
        try dish.expect(value.wire)
    }

    @Test(arguments: KitchenDish.all)
    func `has the JSON that Python gives it, and is read from it`(dish: KitchenDish) throws {
        let value = try #require(KitchenValue.all[dish.name])
        let bridge = try #require(JSONBridge(value.message, in: TestContractsRegistry.schema))

        let ours = try JSONSerialization.jsonObject(with: Data(try #require(bridge.json(of: value.wire)))) as? NSDictionary
        let theirs = try JSONSerialization.jsonObject(with: Data(value.json.utf8)) as? NSDictionary
        #expect(ours == theirs)
        try dish.expectSame(bridge.bytes(ofJSON: Array(value.json.utf8)))
    }

    @Test func `is all here`() {
        #expect(Set(KitchenValue.all.keys) == Set(KitchenDish.all.map(\.name)))
    }

    @Test func `may come packed or not, whichever the contract says`() throws {
        // Field 3 is packed in the contract and comes one by one; field 18 is the other way round.
        let list = try KitchenV1.Lists(decoding: [0x18, 0x01, 0x18, 0x02, 0x1a, 0x01, 0x03, 0x92, 0x01, 0x02, 0x04, 0x05])

        #expect(list.fInt32 == [1, 2, 3])
        #expect(list.unpackedInt32 == [4, 5])
        #expect(try list.serialized() == [0x1a, 0x03, 0x01, 0x02, 0x03, 0x90, 0x01, 0x04, 0x90, 0x01, 0x05])
    }

    @Test func `takes the last of a field and of a oneof, and merges a message that comes in pieces`() throws {
        let scalars = try KitchenV1.Scalars(decoding: [0x18, 0x01, 0x18, 0x02])
        let choice = try KitchenV1.Choice(decoding: [0x1a, 0x01, 0x61, 0x40, 0x01])
        let tree = try KitchenV1.Tree(
            decoding: [0x12, 0x03, 0x0a, 0x01, 0x61, 0x12, 0x05, 0x1a, 0x03, 0x0a, 0x01, 0x62])

        #expect(scalars.fInt32 == 2)
        #expect(choice.kind == .flag(true))
        #expect(tree.child == KitchenV1.Tree(name: "a", children: [KitchenV1.Tree(name: "b")]))
    }

    @Test func `keeps only the last member of a oneof, even around a message in pieces`() throws {
        // inner { before: "a" }, flag, inner {}, inner { after: "z" }: the flag ends what the first inner said.
        let choice = try KitchenV1.Choice(
            decoding: [0x3a, 0x03, 0x0a, 0x01, 0x61, 0x40, 0x01, 0x3a, 0x00, 0x3a, 0x03, 0x62, 0x01, 0x7a])
        // inner {}, inner { before: "a" }, before: "b", flag: the text outside stays.
        let flag = try KitchenV1.Choice(
            decoding: [0x3a, 0x00, 0x3a, 0x03, 0x0a, 0x01, 0x61, 0x0a, 0x01, 0x62, 0x40, 0x01])

        #expect(choice == KitchenV1.Choice(kind: .inner(KitchenV1.Choice(after: "z"))))
        #expect(flag == KitchenV1.Choice(before: "b", kind: .flag(true)))
    }

    @Test func `lets the last entry of a key win`() throws {
        let maps = try KitchenV1.Maps(
            decoding: [0x0a, 0x06, 0x0a, 0x01, 0x6b, 0x12, 0x01, 0x61, 0x0a, 0x03, 0x0a, 0x01, 0x6b])

        #expect(maps.byString == ["k": ""])
    }

    @Test func `passes through an older program unharmed`() throws {
        let sent = try #require(KitchenValue.all["scalars high"]).wire

        var older = try KitchenV1.OlderScalars(decoding: sent)
        older.fInt32 = 5
        let received = try KitchenV1.Scalars(decoding: older.serialized())

        var expected = try KitchenV1.Scalars(decoding: sent)
        expected.fInt32 = 5
        #expect(received == expected)
    }

    @Test func `of a patient is hidden in the text, in kin and in maps too`() {
        let secret = KitchenV1.Secret(
            id: "an-id", diagnosis: "canary", kin: KitchenV1.Secret(diagnosis: "canary"), notes: ["k": "canary"])

        #expect(secret.description.contains("an-id"))
        #expect(!secret.description.contains("canary"))
    }
}

@Suite struct `The methods of a contract` {
    @Test func `have the kind that their streams say`() {
        #expect(KitchenV1.KitchenServiceMethods.cook.descriptor.kind == .unary)
        #expect(KitchenV1.KitchenServiceMethods.serve.descriptor.kind == .serverStreaming)
        #expect(KitchenV1.KitchenServiceMethods.collect.descriptor.kind == .clientStreaming)
        #expect(KitchenV1.KitchenServiceMethods.chat.descriptor.kind == .bidirectional)
        #expect(KitchenV1.KitchenServiceMethods.cook.descriptor.path == "/kitchen.v1.KitchenService/Cook")
    }
}
