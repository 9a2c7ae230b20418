#if canImport(Glibc)
package import Glibc
#elseif canImport(Musl)
package import Musl
#elseif canImport(Darwin)
package import Darwin
#endif

extension Duration {
    /// The duration as POSIX calls take it; zero when it is negative.
    ///
    /// It is made here because this module imports no Foundation: beside a statically linked Foundation the compiler
    /// counts the members of `timespec` among those of a module that nobody imports.
    package var posixTime: timespec {
        let (seconds, attoseconds) = max(self, .zero).components
        return timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
    }
}
