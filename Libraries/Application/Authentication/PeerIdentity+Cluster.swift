internal import RPC

extension PeerIdentity {
    /// The domain of the URIs in the certificates of a cluster's programs, `spiffe://heartguard/users` and so on.
    private static let clusterDomain = "heartguard"

    /// Which of the cluster's programs it is; `nil` if it is none.
    var clusterProgram: String? { trustDomain == Self.clusterDomain ? program : nil }
}
