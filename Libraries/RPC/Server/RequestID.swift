internal import Synchronization

/// Names for calls that come without one: a prefix that is the process's own, and a count.
enum RequestID {
    private static let prefix = String(UInt64.random(in: 1 << 60 ... .max), radix: 16)
    private static let count = Atomic<UInt64>(0)

    static func make() -> String {
        prefix + "-" + String(count.add(1, ordering: .relaxed).newValue, radix: 16)
    }
}
