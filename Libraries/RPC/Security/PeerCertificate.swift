internal import NIOSSL
internal import X509

/// The certificate that the other side of one connection has shown. It belongs to the connection's event loop.
final class PeerCertificate {
    private let handler: NIOSSLHandler
    private let credentials: TLSCredentials
    private let generation: Int
    private let own: NIOSSLCertificate?

    /// The handler's context is that of `current`.
    init(_ handler: NIOSSLHandler, _ credentials: TLSCredentials, _ current: TLSCredentials.Current) {
        self.handler = handler
        self.credentials = credentials
        self.generation = current.generation
        own = current.material.chain.first
    }

    /// Who the certificate says is there; read once, behind the handshake. `nil` when none was shown.
    private(set) lazy var identity: PeerIdentity? = {
        guard let certificate = handler.peerCertificate.flatMap({ Certificate($0) }) else { return nil }
        return PeerIdentity(certificate)
    }()

    /// What channelz tells of how the connection is secured. Certificates that cannot be written down again are left out.
    var security: SocketSnapshot.Security {
        SocketSnapshot.Security(
            version: handler.tlsVersion.map(PeerCertificate.name) ?? "",
            localCertificate: (try? own?.toDERBytes()) ?? [],
            remoteCertificate: (try? handler.peerCertificate?.toDERBytes()) ?? [])
    }

    private static func name(of version: TLSVersion) -> String {
        switch version {
        case .tlsv13: "TLS 1.3"
        case .tlsv12: "TLS 1.2"
        default: "TLS"
        }
    }

    /// Whether the roots have changed since the handshake began, and no longer vouch for the other side.
    var isOutdated: Bool {
        guard let current = try? credentials.current, current.generation != generation, let roots = current.roots,
            let certificate = identity?.certificate
        else { return false }
        return !roots.vouch(for: certificate)
    }
}
