internal import X509

/// Who is on the other side of a connection, by a certificate that the roots vouch for.
///
/// A program of a cluster is named by the one URI among its certificate's alternative names, `spiffe://DOMAIN/NAME`, as
/// SPIFFE's X.509-SVID has it. Host names are in certificates for those who connect; they identify nobody here.
package final class PeerIdentity: Sendable {
    /// The domain of trust in `spiffe://DOMAIN/NAME`; `nil` when the certificate names no program.
    package let trustDomain: String?
    /// The program, such as `users`; `nil` when the certificate names none.
    package let program: String?
    /// `nil` only where somebody stands in for a peer, as tests do.
    let certificate: Certificate?

    /// `spiffe://DOMAIN/NAME`; `nil` when the certificate names no program.
    var name: String? {
        guard let trustDomain, let program else { return nil }
        return "spiffe://\(trustDomain)/\(program)"
    }

    package init(trustDomain: String?, program: String?) {
        self.trustDomain = trustDomain
        self.program = program
        certificate = nil
    }

    init(_ certificate: Certificate) {
        self.certificate = certificate
        var uris: [String] = []
        // Names that cannot be read name nobody.
        for case .uniformResourceIdentifier(let uri) in (try? certificate.extensions.subjectAlternativeNames) ?? .init() {
            uris.append(uri)
        }
        let parts = uris.count == 1 ? PeerIdentity.parts(of: uris[0]) : nil
        trustDomain = parts?.domain
        program = parts?.program
    }

    /// Exactly `spiffe://DOMAIN/NAME`, of lower-case letters, digits, `.`, `-` and `_`.
    static func parts(of uri: String) -> (domain: String, program: String)? {
        guard uri.hasPrefix("spiffe://"), uri.utf8.count <= 2_048 else { return nil }
        let rest = uri.dropFirst("spiffe://".count).split(separator: "/", omittingEmptySubsequences: false)
        guard rest.count == 2, rest.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { $0.mayStandInName } }) else { return nil }
        return (String(rest[0]), String(rest[1]))
    }
}
