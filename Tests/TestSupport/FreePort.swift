#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Finds TCP ports of loopback that nobody uses.
package enum FreePort {
    package struct NotFound: Error {}

    /// A port that was free a moment ago. Linux hands out ephemeral ports in no order, so another process is unlikely to
    /// get the same one before the caller uses it.
    package static func find() throws(NotFound) -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw NotFound() }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let hasPort = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe bind(descriptor, generic, length) == 0 && getsockname(descriptor, generic, &length) == 0
            }
        }
        guard hasPort else { throw NotFound() }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
