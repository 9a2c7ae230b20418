import Contracts
import RPC
import TestContracts
import Testing

/// The Swift side of a value in kitchen.jsonl: built by hand, field by field.
struct KitchenDish: Sendable, CustomTestStringConvertible {
    let name: String
    let message: any ContractMessage

    var testDescription: String { name }

    init(_ name: String, _ message: any ContractMessage) {
        self.name = name
        self.message = message
    }

    /// Reads and writes bytes of this value.
    func expect(_ wire: [UInt8]) throws { try Self.expect(message, wire) }

    /// Reads bytes that mean this value, in whatever order their fields are.
    func expectSame(_ wire: [UInt8]) throws { try Self.expectSame(message, wire) }

    private static func expect<M: ContractMessage>(_ message: M, _ wire: [UInt8]) throws {
        #expect(try M(decoding: wire) == message)
        let written = try message.serialized()
        // The order of a map's entries is the sender's to choose; everything else is given.
        if message is KitchenV1.Maps {
            #expect(written.sorted() == wire.sorted())
            #expect(try M(decoding: written) == message)
        } else {
            #expect(written == wire)
        }
    }

    private static func expectSame<M: ContractMessage>(_ message: M, _ wire: [UInt8]) throws {
        #expect(try M(decoding: wire) == message)
    }

    static let all: [KitchenDish] =
        scalars + maps + choices + [
            KitchenDish("lists", lists),
            KitchenDish(
                "tree",
                KitchenV1.Tree(
                    name: "root", child: KitchenV1.Tree(name: "c", child: KitchenV1.Tree()),
                    children: [KitchenV1.Tree(name: "1"), KitchenV1.Tree()], named: ["n": KitchenV1.Tree(name: "2")],
                    leaf: KitchenV1.Tree.Leaf(owner: KitchenV1.Tree(name: "owner"), shape: .round))),
            KitchenDish("well-known and empty", emptyWellKnown),
            KitchenDish("well-known", wellKnown),
            KitchenDish(
                "words",
                KitchenV1.Words(
                    class: "class", default: 1, self_p: true, int: "int", init_p: "init", description_p: "description",
                    unknownFields_p: "unknown_fields", type: "type", hashValue_p: "hash_value", in: ["in", "out"],
                    protocol: "protocol", urlPath: "URL_path")),
            KitchenDish("nothing", KitchenV1.Nothing()),
        ]

    private static let low = KitchenV1.Scalars(
        fDouble: -1.5, fFloat: -2.25, fInt32: .min, fInt64: .min, fSint32: .min, fSint64: .min, fSfixed32: .min,
        fSfixed64: .min, heat: .frozen)
    private static let high = KitchenV1.Scalars(
        fDouble: .greatestFiniteMagnitude, fFloat: .greatestFiniteMagnitude, fInt32: .max, fInt64: .max, fUint32: .max,
        fUint64: .max, fSint32: .max, fSint64: .max, fFixed32: .max, fFixed64: .max, fSfixed32: .max, fSfixed64: .max,
        fBool: true, fString: "心臓 ❤️", fBytes: [0, 255, 0], heat: .high)

    private static let scalars: [KitchenDish] = [
        KitchenDish("scalars absent", KitchenV1.Scalars()),
        KitchenDish("scalars low", low),
        KitchenDish("scalars high", high),
        KitchenDish("scalars negative zero", KitchenV1.Scalars(fDouble: -0.0, fFloat: -0.0)),
        KitchenDish("scalars infinite", KitchenV1.Scalars(fDouble: .infinity, fFloat: -.infinity)),
        KitchenDish("scalars unknown number", KitchenV1.Scalars(heat: .unrecognized(4711))),
        KitchenDish("optionals absent", KitchenV1.Optionals()),
        KitchenDish(
            "optionals set to their default",
            KitchenV1.Optionals(
                fDouble: 0, fFloat: 0, fInt32: 0, fInt64: 0, fUint32: 0, fUint64: 0, fSint32: 0, fSint64: 0, fFixed32: 0,
                fFixed64: 0, fSfixed32: 0, fSfixed64: 0, fBool: false, fString: "", fBytes: [], heat: .unspecified,
                scalars: KitchenV1.Scalars())),
        KitchenDish(
            "optionals set",
            KitchenV1.Optionals(
                fDouble: high.fDouble, fFloat: high.fFloat, fInt32: .max, fInt64: .max, fUint32: .max, fUint64: .max,
                fSint32: .max, fSint64: .max, fFixed32: .max, fFixed64: .max, fSfixed32: .max, fSfixed64: .max, fBool: true,
                fString: high.fString, fBytes: high.fBytes, heat: .low, scalars: KitchenV1.Scalars(fInt32: 1))),
    ]

    private static let lists = KitchenV1.Lists(
        fDouble: [-1.5, high.fDouble], fFloat: [-2.25, high.fFloat], fInt32: [.min, .max], fInt64: [.min, .max],
        fUint32: [0, .max], fUint64: [0, .max], fSint32: [.min, .max], fSint64: [.min, .max], fFixed32: [0, .max],
        fFixed64: [0, .max], fSfixed32: [.min, .max], fSfixed64: [.min, .max], fBool: [false, true],
        fString: ["", high.fString], fBytes: [[], high.fBytes], heat: [.unspecified, .low, .frozen, .unrecognized(4711)],
        scalars: [KitchenV1.Scalars(), KitchenV1.Scalars(fInt32: -1)], unpackedInt32: [0, -1, 300],
        unpackedFloat: [0, -0.0, 1.5], unpackedHeat: [.high, .unspecified, .frozen])

    private static let maps: [KitchenDish] = [
        KitchenDish("map by_string", KitchenV1.Maps(byString: ["": "", "a": "b", "心": "臓"])),
        KitchenDish("map by_int32", KitchenV1.Maps(byInt32: [.min: -0.5, 0: 0, 7: 1e300])),
        KitchenDish("map by_int64", KitchenV1.Maps(byInt64: [.min: [0], 5: []])),
        KitchenDish("map by_uint32", KitchenV1.Maps(byUint32: [0: 0, .max: 1.5])),
        KitchenDish("map by_uint64", KitchenV1.Maps(byUint64: [0: false, .max: true])),
        KitchenDish("map by_bool", KitchenV1.Maps(byBool: [false: .unspecified, true: .frozen])),
        KitchenDish("map by_sint32", KitchenV1.Maps(bySint32: [.min: .min, 1: 1])),
        KitchenDish("map by_sint64", KitchenV1.Maps(bySint64: [.min: .max, 0: 0])),
        KitchenDish("map by_fixed32", KitchenV1.Maps(byFixed32: [0: 0, .max: .max])),
        KitchenDish("map by_fixed64", KitchenV1.Maps(byFixed64: [0: 0, .max: .min])),
        KitchenDish("map by_sfixed32", KitchenV1.Maps(bySfixed32: [.min: .min, 1: 0])),
        KitchenDish("map by_sfixed64", KitchenV1.Maps(bySfixed64: [.min: .max, 1: 0])),
        KitchenDish(
            "map messages",
            KitchenV1.Maps(messages: ["a": KitchenV1.Scalars(), "b": KitchenV1.Scalars(fString: "x")])),
    ]

    private static let choices: [KitchenDish] = [
        choice("number", .number(0)), choice("text", .text("")), choice("data", .data([0])),
        choice("heat", .heat(.unspecified)), choice("scalars", .scalars(KitchenV1.Scalars())),
        choice("inner", .inner(KitchenV1.Choice(kind: .text("deep")))), choice("flag", .flag(false)),
        choice("at", .at(GoogleProtobuf.Timestamp(seconds: 1))),
        KitchenDish("choice of two", KitchenV1.Choice(kind: .flag(true), other: .big(-1))),
        KitchenDish("choice of none", KitchenV1.Choice(before: "b")),
    ]

    private static func choice(_ name: String, _ kind: KitchenV1.Choice.OneOf_Kind) -> KitchenDish {
        KitchenDish("choice \(name)", KitchenV1.Choice(before: "b", kind: kind, after: "a"))
    }
}
