@testable import Contracts

/// Any message's JSON by its name, as the Gateway does it for requests and responses.
struct JSONBridge {
    private let type: MessageSchema

    init?(_ name: String) {
        guard let type = ContractRegistry.schema.messages[name] else { return nil }
        self.type = type
    }

    func json(of bytes: [UInt8]) -> [UInt8]? {
        DynamicMessage(type, decoding: bytes[...], in: ContractRegistry.schema).map { message in
            var writer = JSONWriter()
            writer.write(JSONPrinting(contracts: ContractRegistry.schema).object(message))
            return writer.bytes
        }
    }

    func bytes(ofJSON json: [UInt8]) throws -> [UInt8] {
        try JSONReading(contracts: ContractRegistry.schema).message(try JSONParser.parse(json), type, "").serialized
    }
}
