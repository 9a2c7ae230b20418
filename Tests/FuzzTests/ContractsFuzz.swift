@testable import Contracts
import JSON
import RPC
import TestContracts

/// Messages of the contracts, on the wire and as JSON. The first byte chooses the message, the second what is done.
enum ContractsFuzz {
    private struct Kind: Sendable {
        let type: any ContractMessage.Type
        let schema: ContractSchema
    }

    /// What the methods take and answer, which holds all the rest, and the test contract that has every kind of field.
    private static let kinds: [Kind] =
        TestContractsRegistry.methods.flatMap { kinds(of: $0, TestContractsRegistry.schema) }
        + [
            KitchenV1.Scalars.self, KitchenV1.Maps.self, KitchenV1.Choice.self, KitchenV1.Lists.self, KitchenV1.Tree.self,
            KitchenV1.WellKnown.self,
        ].map { Kind(type: $0, schema: TestContractsRegistry.schema) }
        + ContractRegistry.methods.flatMap { kinds(of: $0, ContractRegistry.schema) }

    private static func kinds(of method: AnyContractMethod, _ schema: ContractSchema) -> [Kind] {
        [Kind(type: method.requestType, schema: schema), Kind(type: method.responseType, schema: schema)]
    }

    static func run(_ bytes: [UInt8]) throws {
        var input = FuzzInput(bytes)
        let kind = kinds[Int(input.byte()) % kinds.count]
        if input.byte() & 1 == 0 {
            try wire(kind, kind.type, input.remaining())
        } else {
            try json(kind, input.remaining())
        }
    }

    private static func wire<M: ContractMessage>(_ kind: Kind, _ type: M.Type, _ bytes: [UInt8]) throws {
        let message: M
        do throws(MalformedMessage) { message = try M(decoding: bytes) } catch { return }
        let written: [UInt8]
        do throws(MalformedMessage) { written = try message.serialized() } catch {
            throw Finding("\(M.fullName) was read and cannot be written: \(error.reason)")
        }
        let again: M
        do throws(MalformedMessage) { again = try M(decoding: written) } catch {
            throw Finding("\(M.fullName) was written and cannot be read: \(error.reason)")
        }
        // A number that is not one differs from itself, so values are compared by their bytes; a map's may change places.
        try Finding.unless(again == message || (try again.serialized()).sorted() == written.sorted(), "\(M.fullName) changed")
        _ = message.description
        try printed(kind, written)
    }

    /// What is written as JSON is JSON, and reading it brings back what is written the same way.
    private static func printed(_ kind: Kind, _ bytes: [UInt8]) throws {
        guard let schema = kind.schema.messages[kind.type.fullName] else { throw Finding("\(kind.type.fullName) has no schema") }
        guard let text = try? JSONPrinting.json(of: bytes, schema, in: kind.schema) else { return }
        let value: JSONValue
        do throws(JSONSyntaxError) { value = try JSONParser.parse(text) } catch {
            throw Finding("what was written is not JSON: \(error.sentence)")
        }
        guard let read = try? JSONReading(contracts: kind.schema).bytes(value, schema) else { return }
        let again = try? JSONPrinting.json(of: read, schema, in: kind.schema)
        try Finding.unless(again == text, "JSON changed: \(String(decoding: text, as: UTF8.self))")
    }

    private static func json(_ kind: Kind, _ text: [UInt8]) throws {
        guard let schema = kind.schema.messages[kind.type.fullName] else { throw Finding("\(kind.type.fullName) has no schema") }
        guard let value = try? JSONParser.parse(text), let bytes = try? JSONReading(contracts: kind.schema).bytes(value, schema) else { return }
        guard (try? JSONPrinting.json(of: bytes, schema, in: kind.schema)) != nil else {
            throw Finding("\(kind.type.fullName) was written from JSON and cannot be read")
        }
        try printed(kind, bytes)
        _ = try? kind.type.init(decoding: bytes)
    }
}
