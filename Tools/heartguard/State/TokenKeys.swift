internal import Foundation
internal import Tokens

/// The key that the Users service signs access tokens with, and the public halves that everybody checks them with: its own, and those of the keys
/// before it, whose tokens may be in use and whose receipts are to be verified.
struct TokenKeys: Sendable {
    let directory: StateDirectory

    /// Makes the key if there is none, and puts its public half among those that there are. The file is written where that changes it.
    func create() throws {
        let file = directory.secret("token-signing-key.pem")
        if !FileManager.default.fileExists(atPath: file) {
            try directory.write(Data(TokenSigner.newPrivateKeyPEM().utf8), to: file, mode: 0o600)
        }
        let signer = try TokenSigner(
            privateKeyPEM: String(contentsOf: URL(filePath: file), encoding: .utf8), issuer: ServicePlan.tokenIssuer)
        var keys = signer.keySet
        let before = FileManager.default.contents(atPath: directory.publicKeys)
        if let before {
            do throws(TokenError) {
                keys = try keys.merging(TokenKeySet(json: String(decoding: before, as: UTF8.self)))
            } catch {
                throw CommandFailure("\(directory.publicKeys) cannot be used: \(error.message) Put right or remove it; without it the public key of \(file) alone is taken.")
            }
        }
        let now = try Data((keys.json + "\n").utf8)
        if now != before { try directory.write(now, to: directory.publicKeys) }
    }
}
