internal import Synchronization

/// The name of a call in logs: the caller's, or one of our own, a prefix that is the process's and a count. Most calls
/// are never written about, so ours is only spelled out where it is read.
enum RequestID: Sendable {
    case given(String)
    case made(UInt64)

    private static let prefix = String(UInt64.random(in: 1 << 60 ... .max), radix: 16)
    private static let count = Atomic<UInt64>(0)

    static func make() -> RequestID { .made(count.add(1, ordering: .relaxed).newValue) }

    var text: String {
        switch self {
        case .given(let text): text
        case .made(let number): RequestID.prefix + "-" + String(number, radix: 16)
        }
    }
}
