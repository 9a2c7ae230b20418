internal import Glibc
internal import NIOPosix

/// Finds the addresses of a name, in the order in which they are to be tried. It throws where it finds none.
package typealias NameLookup = @Sendable (_ name: RPCAddress) async throws -> [RPCAddress]

struct LookupFailure: Error, Hashable {
    let reason: String
}

/// What getaddrinfo(3) knows about a name.
@safe
enum HostLookup {
    /// A name with more addresses than this is used with the first of them.
    static let maxAddresses = 256

    /// Threads for nothing else: a name server that is silent must not hold up whoever else needs a thread that may block.
    private static let threads: NIOThreadPool = {
        let threads = NIOThreadPool(numberOfThreads: 4)
        threads.start()
        return threads
    }()

    /// Does not block, and heeds no cancellation.
    static func find(_ name: RPCAddress) async throws -> [RPCAddress] {
        try await withCheckedThrowingContinuation { continuation in
            threads.submit { _ in
                do { continuation.resume(returning: try HostLookup.addresses(of: name)) } catch { continuation.resume(throwing: error) }
            }
        }
    }

    /// Blocks until an answer has come.
    static func addresses(of name: RPCAddress) throws(LookupFailure) -> [RPCAddress] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(name.host, nil, &hints, &list)
        guard code == 0 else {
            throw LookupFailure(reason: unsafe "the name \(name.host) is not known (\(String(cString: gai_strerror(code))))")
        }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [RPCAddress] = []
        var entry = unsafe list
        while let info = unsafe entry, addresses.count < maxAddresses {
            if let host = unsafe numeric(info) { addresses.append(RPCAddress(host: host, port: name.port)) }
            unsafe entry = info.pointee.ai_next
        }
        return addresses
    }

    private static func numeric(_ info: UnsafeMutablePointer<addrinfo>) -> String? {
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let code = unsafe getnameinfo(
            info.pointee.ai_addr, info.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
        guard code == 0 else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
