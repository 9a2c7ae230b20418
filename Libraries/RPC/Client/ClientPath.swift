internal import HTTP2
internal import NIOCore
internal import Time

/// Where a channel's connections lead, and what every request on them says.
struct ClientPath: Sendable {
    enum Security: Sendable {
        case none
        case tls(TLSCredentials, serverName: String?)
    }

    let host: String
    let port: Int
    let security: Security
    let configuration: RPCChannelConfiguration

    init(host: String, port: Int, tls: (ClientTLS, TLSCredentials)?, configuration: RPCChannelConfiguration) {
        self.host = host
        self.port = port
        self.configuration = configuration
        guard let tls else {
            security = .none
            return
        }
        // A server name that is an address is checked against the certificate's addresses, and never sent.
        let name = tls.0.serverName ?? host
        let isAddress = (try? SocketAddress(ipAddress: name, port: 0)) != nil
        security = .tls(tls.1, serverName: isAddress ? nil : name)
    }

    var authority: String { configuration.authority ?? (host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)") }

    private var scheme: String { if case .none = security { "http" } else { "https" } }

    func requestHeaders(of context: ClientCallContext) -> [HTTP2Header] {
        var headers = [
            HTTP2Header(":method", "POST"),
            HTTP2Header(":scheme", scheme),
            HTTP2Header(":path", context.method.path),
            HTTP2Header(":authority", authority),
            HTTP2Header("te", "trailers"),
            HTTP2Header("content-type", "application/grpc"),
            HTTP2Header("user-agent", "heartguard-rpc/1"),
            HTTP2Header("grpc-accept-encoding", MessageEncoding.accepted),
        ]
        if context.encoding == .gzip { headers.append(HTTP2Header("grpc-encoding", "gzip")) }
        if let deadline = context.deadline {
            headers.append(HTTP2Header("grpc-timeout", WireTimeout.format(deadline.remaining)))
        }
        StatusTrailers.append(context.metadata, to: &headers)
        return headers
    }
}
