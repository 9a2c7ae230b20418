package import Logging
package import NIOSSL

/// A server's certificate for a door that is not gRPC's, as its files have it now.
package final class ServerCertificate: Sendable {
    private let credentials: TLSCredentials
    private let watch: CredentialsWatch

    /// Throws when the files cannot be used.
    package init(_ files: TLSFiles, logger: Logger) throws {
        credentials = TLSCredentials(files, logger: logger)
        watch = CredentialsWatch(credentials) { _ in }
        _ = try credentials.current
    }

    /// The certificates, the server's own first, and their key.
    package var current: (chain: [NIOSSLCertificate], key: NIOSSLPrivateKey) {
        get throws {
            let material = try credentials.current.material
            guard let key = material.key else { throw TLSMaterial.Unusable("A server needs a private key.") }
            return (material.chain, key)
        }
    }
}
