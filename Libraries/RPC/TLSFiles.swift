/// Where a server finds its certificate, as paths of PEM files.
package struct TLSFiles: Sendable, Hashable {
    /// The server's certificate first, then those that lead to a root.
    package var certificateChain: String
    package var privateKey: String
    /// With roots, every caller must present a certificate that one of them signed.
    package var trustRoots: String?

    package init(certificateChain: String, privateKey: String, trustRoots: String? = nil) {
        self.certificateChain = certificateChain
        self.privateKey = privateKey
        self.trustRoots = trustRoots
    }
}

/// How a client trusts a server and, where the server asks, shows who it is itself. Paths are of PEM files.
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
