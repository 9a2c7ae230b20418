internal import Foundation
internal import Tokens

/// The key that the Users service signs access tokens with, and the public half that everybody checks them with.
struct TokenKeys: Sendable {
    let directory: StateDirectory

    func create() throws {
        let file = directory.secret("token-signing-key.pem")
        if !FileManager.default.fileExists(atPath: file) {
            try directory.write(Data(TokenSigner.newPrivateKeyPEM().utf8), to: file, mode: 0o600)
        }
        let signer = try TokenSigner(
            privateKeyPEM: String(contentsOf: URL(filePath: file), encoding: .utf8), issuer: ServicePlan.tokenIssuer)
        try directory.write(Data((signer.jwks + "\n").utf8), to: directory.publicKeys)
    }
}
