#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Finds TCP ports of loopback that nobody uses.
package enum FreePort {
    package struct NotFound: Error {}

    /// Those that the kernel gives to nobody by itself: neither a connection nor a server that takes any port gets one before the caller uses it,
    /// or while a server is away that is to come back to it. `heartguard up` takes others.
    private static let ports = 10_000..<20_000

    /// A port that was free a moment ago.
    package static func find() throws(NotFound) -> Int {
        for _ in 0..<1_000 {
            let port = Int.random(in: ports)
            if try isFree(port) { return port }
        }
        throw NotFound()
    }

    private static func isFree(_ port: Int) throws(NotFound) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw NotFound() }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        return unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe bind(descriptor, generic, length) == 0
            }
        }
    }
}
