internal import FoundationEssentials
package import RPC
package struct ContractSchema: Sendable {
    package init(fileDescriptorSet: [UInt8]) {}
    static package func bytes(ofBase64 s: String) -> [UInt8] { Data(base64Encoded: s).map { [UInt8]($0) } ?? [] }
}
package protocol JSONMessage: Message {}
extension ContractMessage { package var description: String { Self.fullName } }
