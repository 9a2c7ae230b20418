internal import Glibc
internal import NIOCore

extension SocketSnapshot.Address {
    init?(_ address: SocketAddress?) {
        switch address {
        case .v4: self.init(AF_INET, byteCount: 4, address)
        case .v6: self.init(AF_INET6, byteCount: 16, address)
        case .unixDomainSocket: self = .path(address?.pathname ?? "")
        case nil: return nil
        }
    }

    private init?(_ family: Int32, byteCount: Int, _ address: SocketAddress?) {
        guard let text = address?.ipAddress, let port = address?.port else { return nil }
        var bytes = [UInt8](repeating: 0, count: byteCount)
        guard unsafe inet_pton(family, text, &bytes) == 1 else { return nil }
        self = .ip(bytes, port: port)
    }
}
