internal import FoundationEssentials

extension ContractSchema {
    /// The bytes of the descriptors that the generator embedded as base64.
    package static func bytes(ofBase64 text: String) -> [UInt8] {
        guard let data = Data(base64Encoded: text) else { preconditionFailure("the generator wrote no base64") }
        return [UInt8](data)
    }
}
