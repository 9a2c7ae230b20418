internal import HTTP2
internal import NIOCore
internal import Time

/// Where a channel's connections lead, and what every request on them says.
struct ClientPath: Sendable {
    enum Security: Sendable {
        case none
        case tls(TLSCredentials, serverName: String?)
    }

    private(set) var host: String
    private(set) var port: Int
    private(set) var security: Security
    private let namesServer: Bool
    let configuration: RPCChannelConfiguration
    /// Where to connect; the name that requests are for stays the same.
    private(set) var address: RPCAddress

    init(host: String, port: Int, tls: (ClientTLS, TLSCredentials)?, configuration: RPCChannelConfiguration) {
        self.host = host
        self.port = port
        self.configuration = configuration
        address = RPCAddress(host: host, port: port)
        namesServer = tls?.0.serverName != nil
        guard let tls else {
            security = .none
            return
        }
        security = .tls(tls.1, serverName: ClientPath.sentName(tls.0.serverName ?? host))
    }

    /// A server name that is an address is checked against the certificate's addresses, and never sent.
    private static func sentName(_ name: String) -> String? {
        RPCAddress(host: name, port: 0).isNumeric ? nil : name
    }

    /// The way to another server of the channel, which goes by its own name.
    func leading(toServer address: RPCAddress) -> ClientPath {
        var path = leading(to: address)
        path.host = address.host
        path.port = address.port
        if !namesServer, case .tls(let context, _) = security {
            path.security = .tls(context, serverName: ClientPath.sentName(address.host))
        }
        return path
    }

    /// The same name, reached at one of its addresses.
    func leading(to address: RPCAddress) -> ClientPath {
        var path = self
        path.address = address
        return path
    }

    var authority: String { configuration.authority ?? (host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)") }

    private var scheme: String { if case .none = security { "http" } else { "https" } }

    /// What every request for the method says.
    func fixedHeaders(of method: MethodDescriptor) -> [HTTP2Header] {
        [
            HTTP2Header(":method", "POST"),
            HTTP2Header(":scheme", scheme),
            HTTP2Header(":path", method.path),
            HTTP2Header(":authority", authority),
            HTTP2Header("te", "trailers"),
            HTTP2Header("content-type", "application/grpc"),
            HTTP2Header("user-agent", "heartguard-rpc/1"),
            HTTP2Header("grpc-accept-encoding", MessageEncoding.accepted),
        ]
    }

    /// What one request says besides.
    func ownHeaders(of context: ClientCallContext) -> [HTTP2Header] {
        var headers: [HTTP2Header] = []
        if context.encoding == .gzip { headers.append(HTTP2Header("grpc-encoding", "gzip")) }
        if let deadline = context.deadline {
            headers.append(HTTP2Header("grpc-timeout", WireTimeout.format(deadline.remaining)))
        }
        if context.previousAttempts > 0 {
            headers.append(HTTP2Header("grpc-previous-rpc-attempts", String(context.previousAttempts)))
        }
        StatusTrailers.append(context.metadata, to: &headers)
        return headers
    }
}
