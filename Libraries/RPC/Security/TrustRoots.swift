internal import FoundationEssentials
internal import NIOSSL
internal import SwiftASN1
internal import X509

/// The authorities that a server or client trusts.
struct TrustRoots: Sendable {
    let certificates: [NIOSSLCertificate]
    private let parsed: [Certificate]

    init(_ certificates: [NIOSSLCertificate], _ parsed: [Certificate]) {
        self.certificates = certificates
        self.parsed = parsed
    }

    /// Whether one of the authorities signed the certificate itself, and both are within their time. The handshake has
    /// looked at all else. Of a certificate that was signed through others nothing is known here any more, since TLS
    /// keeps only the first of a chain: it is not vouched for.
    func vouch(for certificate: Certificate, at now: Date = .now) -> Bool {
        guard certificate.isValid(at: now) else { return false }
        return parsed.contains { root in
            root.subject == certificate.issuer && root.isValid(at: now)
                && root.publicKey.isValidSignature(certificate.signature, for: certificate)
        }
    }
}

extension TrustRoots: Equatable {
    static func == (a: TrustRoots, b: TrustRoots) -> Bool { a.parsed == b.parsed }
}

extension Certificate {
    /// The same certificate in the form whose parts can be read; `nil` when they cannot.
    init?(_ certificate: NIOSSLCertificate) {
        guard let bytes = try? certificate.toDERBytes(), let parsed = try? Certificate(derEncoded: bytes) else { return nil }
        self = parsed
    }

    fileprivate func isValid(at now: Date) -> Bool { notValidBefore <= now && now <= notValidAfter }
}
