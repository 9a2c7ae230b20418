internal import JSON
package import RPC

/// A method without its Swift types, for a program that forwards calls: the Gateway turns JSON into the bytes of the
/// request and the bytes of the response into JSON, and never needs the values.
package struct AnyContractMethod: Sendable {
    package let descriptor: RPC.MethodDescriptor
    /// The full names of the messages.
    package let requestName: String
    package let responseName: String
    package let requestType: any ContractMessage.Type
    package let responseType: any ContractMessage.Type
    private let schema: ContractSchema

    package init<Request: ContractMessage, Response: ContractMessage>(
        _ method: RPC.Method<Request, Response>, schema: ContractSchema
    ) {
        descriptor = method.descriptor
        requestName = Request.fullName
        responseName = Response.fullName
        requestType = Request.self
        responseType = Response.self
        self.schema = schema
    }

    var requestFields: [FieldSchema] { schema.messages[requestName]?.fields ?? [] }

    /// The bytes of the request that JSON and parameters describe together.
    ///
    /// - Parameters:
    ///   - json: An object of fields; empty for none.
    ///   - parameters: Fields of a path or a query, by their paths in the contract, as in `filter.code`; several
    ///     values are one repeated field. A parameter wins over the same field of the object.
    /// - Throws: `JSONMappingError` with the path of the first field that is not known or cannot be read.
    package func request(
        json: [UInt8], parameters: [(field: String, values: [String])] = []
    ) throws(JSONMappingError) -> [UInt8] {
        guard let message = schema.messages[requestName] else { preconditionFailure("\(requestName) is in no descriptor") }
        var object = JSONValue.object([])
        if !json.isEmpty {
            do throws(JSONSyntaxError) { object = try JSONParser.parse(json) } catch { throw JSONMappingError(error) }
        }
        for parameter in parameters {
            object = try ParameterPath(contracts: schema).setting(parameter, in: object, message)
        }
        return try JSONReading(contracts: schema).bytes(object, message)
    }

    /// The JSON of a response's bytes; INTERNAL for bytes that are no such message.
    package func responseJSON(_ bytes: [UInt8]) throws(RPCError) -> [UInt8] {
        guard let type = schema.messages[responseName] else { preconditionFailure("\(responseName) is in no descriptor") }
        do throws(JSONPrinting.Unreadable) {
            return try JSONPrinting.json(of: bytes, type, in: schema)
        } catch {
            throw RPCError(.internalError, "The service's answer cannot be read.")
        }
    }
}
