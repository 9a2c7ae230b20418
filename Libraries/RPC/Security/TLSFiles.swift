/// Where a server finds its certificate, as paths of PEM files. They are read again whenever they change.
package struct TLSFiles: Sendable, Hashable {
    /// What a caller's certificate is to a server that names roots.
    package enum CallerCertificates: Sendable, Hashable {
        /// Whoever shows none is not let in.
        case required
        /// Whoever shows one must show a good one, and is known by it; others are let in unknown.
        case optional
    }

    /// The server's certificate first, then those that lead to a root.
    package var certificateChain: String
    package var privateKey: String
    /// The roots that vouch for callers. Without them no caller is asked for a certificate.
    package var trustRoots: String?
    package var callerCertificates: CallerCertificates

    package init(
        certificateChain: String,
        privateKey: String,
        trustRoots: String? = nil,
        callerCertificates: CallerCertificates = .required
    ) {
        self.certificateChain = certificateChain
        self.privateKey = privateKey
        self.trustRoots = trustRoots
        self.callerCertificates = callerCertificates
    }
}

/// How a client trusts a server and, where the server asks, shows who it is itself. Paths are of PEM files, which are
/// read again whenever they change.
package struct ClientTLS: Sendable, Hashable {
    /// The roots to trust; `nil` for those of the machine.
    package var trustRoots: String?
    /// The name that the server's certificate must bear, unless it bears the address that was connected to; `nil` for
    /// the target's host.
    package var serverName: String?
    package var certificateChain: String?
    package var privateKey: String?

    package init(
        trustRoots: String? = nil,
        serverName: String? = nil,
        certificateChain: String? = nil,
        privateKey: String? = nil
    ) {
        self.trustRoots = trustRoots
        self.serverName = serverName
        self.certificateChain = certificateChain
        self.privateKey = privateKey
    }
}
