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

    /// Whether the host is an IP address and no name.
    var isNumeric: Bool { (try? SocketAddress(ipAddress: host, port: port)) != nil }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// Whom a channel speaks to.
package enum RPCTarget: Sendable, Hashable {
    /// A name that is looked up when connecting, and looked up again when a connection fails.
    case name(RPCAddress)
    /// Servers that all answer the same calls. TLS expects each to have a certificate for its own address, unless a
    /// name is given for all.
    case addresses([RPCAddress])

    /// Whom requests are for, where each server has not a name of its own.
    var authority: RPCAddress {
        switch self {
        case .name(let name): name
        case .addresses(let list):
            if let first = list.first { first } else { preconditionFailure("a channel has at least one address") }
        }
    }

    /// The addresses that need no look-up of ours. Where one connection is enough, connecting looks the name up.
    func addresses(for balancing: LoadBalancing) -> [RPCAddress]? {
        switch self {
        case .addresses(let list): list
        case .name(let name): balancing.policy == .pickFirst || name.isNumeric ? [name] : nil
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
