internal import FoundationEssentials

/// Files and connections that this process may have open (`ulimit -n`).
enum Descriptors {
    /// The soft limit; where there is none, or nobody knows, as many as anybody gives a server.
    static let most: Int = {
        // A system that does not say is one of the second kind.
        guard let limits = try? String(contentsOf: URL(filePath: "/proc/self/limits"), encoding: .utf8) else { return unlimited }
        return softLimit(in: limits) ?? unlimited
    }()

    private static let unlimited = 1 << 20

    /// Of `/proc/PID/limits` (proc(5)): `Max open files`, the soft limit, the hard limit and the unit.
    static func softLimit(in limits: String) -> Int? {
        let line = limits.split(separator: "\n").first { $0.hasPrefix("Max open files") }
        return line?.split(separator: " ").dropFirst(3).first.flatMap { Int($0) }
    }
}
