@testable import Contracts
import JSON

/// Any message's JSON by its name, as the Gateway does it for requests and responses.
struct JSONBridge {
    private let type: MessageSchema
    private let contracts: ContractSchema

    init?(_ name: String, in contracts: ContractSchema = ContractRegistry.schema) {
        guard let type = contracts.messages[name] else { return nil }
        self.type = type
        self.contracts = contracts
    }

    func json(of bytes: [UInt8]) -> [UInt8]? { try? JSONPrinting.json(of: bytes, type, in: contracts) }

    func bytes(ofJSON json: [UInt8]) throws -> [UInt8] {
        try JSONReading(contracts: contracts).bytes(try JSONParser.parse(json), type)
    }
}
