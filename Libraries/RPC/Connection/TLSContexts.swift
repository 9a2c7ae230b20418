internal import NIOCore
internal import NIOSSL

/// Turns paths of PEM files into contexts of BoringSSL, with HTTP/2 as the only protocol on offer.
enum TLSContexts {
    static func server(_ files: TLSFiles) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try chain(files.certificateChain),
            privateKey: .privateKey(try NIOSSLPrivateKey(file: files.privateKey, format: .pem))
        )
        configuration.minimumTLSVersion = .tlsv12
        configuration.shutdownTimeout = shutdownTimeout
        configuration.applicationProtocols = ["h2"]
        if let trustRoots = files.trustRoots {
            configuration.trustRoots = .file(trustRoots)
            configuration.certificateVerification = .noHostnameVerification
        }
        return try NIOSSLContext(configuration: configuration)
    }

    static func client(_ tls: ClientTLS) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.shutdownTimeout = shutdownTimeout
        configuration.applicationProtocols = ["h2"]
        if let trustRoots = tls.trustRoots { configuration.trustRoots = .file(trustRoots) }
        if let path = tls.certificateChain { configuration.certificateChain = try chain(path) }
        if let path = tls.privateKey {
            configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: path, format: .pem))
        }
        return try NIOSSLContext(configuration: configuration)
    }

    /// How long a connection that is closed waits for the peer to say that it closes too. HTTP/2 has ended by then, and
    /// gRPC's C core never says it.
    private static let shutdownTimeout = TimeAmount.milliseconds(100)

    private static func chain(_ path: String) throws -> [NIOSSLCertificateSource] {
        try NIOSSLCertificate.fromPEMFile(path).map { .certificate($0) }
    }
}
