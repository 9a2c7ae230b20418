package import RPC

/// A method without its Swift types, for a program that forwards calls: the Gateway turns JSON into the bytes of the
/// request and the bytes of the response into JSON, and never needs the values.
package struct AnyContractMethod: Sendable {
    package let descriptor: RPC.MethodDescriptor
    /// The full names of the messages.
    package let requestName: String
    package let responseName: String
    let schema: ContractSchema

    package init<Request: ContractMessage, Response: ContractMessage>(
        _ method: RPC.Method<Request, Response>, schema: ContractSchema
    ) {
        descriptor = method.descriptor
        requestName = Request.fullName
        responseName = Response.fullName
        self.schema = schema
    }
}
