import Contracts
import TestContracts

extension KitchenDish {
    static let emptyWellKnown = KitchenV1.WellKnown(
        timestamp: .init(), duration: .init(), struct: .init(), list: .init(), any: .init(), mask: .init(),
        empty: .init(), doubleValue: .init(), floatValue: .init(), int64Value: .init(), uint64Value: .init(),
        int32Value: .init(), uint32Value: .init(), boolValue: .init(), stringValue: .init(), bytesValue: .init())

    static let wellKnown = KitchenV1.WellKnown(
        timestamp: .init(seconds: -1, nanos: 500_000_000),
        duration: .init(seconds: -2, nanos: -1),
        struct: .init(fields: ["deep": .init(kind: .structValue(.init(fields: ["list": mixture])))]),
        value: number(-0.0),
        list: .init(values: [number(1), text("two"), null]),
        any: .init(typeUrl: "type.googleapis.com/kitchen.v1.Scalars", value: [0x18, 0x07]),
        mask: .init(paths: ["a", "b.c_d"]),
        doubleValue: .init(value: 0.1), floatValue: .init(value: 0.5), int64Value: .init(value: .min),
        uint64Value: .init(value: .max), int32Value: .init(value: -1), uint32Value: .init(value: .max),
        boolValue: .init(value: true), stringValue: .init(value: "x"), bytesValue: .init(value: [0, 1]),
        timestamps: [.init(seconds: 253_402_300_799, nanos: 999_999_999), .init()],
        values: ["null": null])

    private static let mixture = list([null, bool(true), number(1.5), text("x"), list([])])
    private static let null = GoogleProtobuf.Value(kind: .nullValue(.nullValue))
    private static func bool(_ flag: Bool) -> GoogleProtobuf.Value { .init(kind: .boolValue(flag)) }
    private static func number(_ number: Double) -> GoogleProtobuf.Value { .init(kind: .numberValue(number)) }
    private static func text(_ text: String) -> GoogleProtobuf.Value { .init(kind: .stringValue(text)) }
    private static func list(_ values: [GoogleProtobuf.Value]) -> GoogleProtobuf.Value {
        .init(kind: .listValue(.init(values: values)))
    }
}
