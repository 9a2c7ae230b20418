internal import NIOCore

/// One address that a server listens on.
package struct RPCAddress: Sendable, Hashable, CustomStringConvertible {
    /// A name, or an IP address without brackets.
    package let host: String
    package let port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Where to connect, if the host is an IP address and no name.
    var socketAddress: SocketAddress? { try? SocketAddress(ipAddress: host, port: port) }

    var isNumeric: Bool { socketAddress != nil }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// Whom a channel speaks to.
package enum RPCTarget: Sendable, Hashable {
    /// A name, which stands for all of its addresses. TLS expects the certificate of each to be for the name.
    case name(RPCAddress)
    /// Servers that all answer the same calls. TLS expects each to have a certificate for its own address, unless a
    /// name is given for all. A name among them is one server, which is looked up by each attempt to connect.
    case addresses([RPCAddress])

    /// Whom requests are for, where each server has not a name of its own.
    var authority: RPCAddress {
        switch self {
        case .name(let name): name
        case .addresses(let list):
            if let first = list.first { first } else { preconditionFailure("a channel has at least one address") }
        }
    }

    /// The addresses, unless they have to be looked up.
    var addresses: [RPCAddress]? {
        switch self {
        case .addresses(let list): list
        case .name(let name): name.isNumeric ? [name] : nil
        }
    }

    /// What holds where no service config says otherwise: several addresses are there to share the calls.
    var defaultBalancing: LoadBalancing {
        switch self {
        case .name: LoadBalancing(.pickFirst)
        case .addresses(let list): LoadBalancing(list.count > 1 ? .roundRobin : .pickFirst)
        }
    }
}
