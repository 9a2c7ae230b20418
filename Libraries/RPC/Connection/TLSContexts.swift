internal import NIOSSL

/// Turns paths of PEM files into contexts of BoringSSL, with HTTP/2 as the only protocol on offer.
enum TLSContexts {
    static func server(_ files: TLSFiles) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try chain(files.certificateChain),
            privateKey: .privateKey(try NIOSSLPrivateKey(file: files.privateKey, format: .pem))
        )
        configuration.minimumTLSVersion = .tlsv12
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
        configuration.applicationProtocols = ["h2"]
        if let trustRoots = tls.trustRoots { configuration.trustRoots = .file(trustRoots) }
        if let path = tls.certificateChain { configuration.certificateChain = try chain(path) }
        if let path = tls.privateKey {
            configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: path, format: .pem))
        }
        return try NIOSSLContext(configuration: configuration)
    }

    private static func chain(_ path: String) throws -> [NIOSSLCertificateSource] {
        try NIOSSLCertificate.fromPEMFile(path).map { .certificate($0) }
    }
}
