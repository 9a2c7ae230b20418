internal import NIOCore

/// How gRPC writes the address of the other side.
enum PeerName {
    static func of(_ address: SocketAddress?) -> String {
        switch address {
        case .v4(let v4): "ipv4:\(SocketAddress.v4(v4).ipAddress ?? ""):\(SocketAddress.v4(v4).port ?? 0)"
        case .v6(let v6): "ipv6:[\(SocketAddress.v6(v6).ipAddress ?? "")]:\(SocketAddress.v6(v6).port ?? 0)"
        case .unixDomainSocket: "unix:\(address?.pathname ?? "")"
        case nil: "unknown"
        }
    }
}
