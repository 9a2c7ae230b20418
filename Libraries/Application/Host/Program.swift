internal import Glibc
internal import Logging

/// A service's program as a whole.
package enum Program {
    /// Runs it to its end, and the process with it: with 0 when it was asked to stop, with 1 when it cannot be started or cannot go on.
    package static func main(_ service: String, _ body: @Sendable () async throws -> Void) async -> Never {
        exit(await code(of: service, body: body))
    }

    /// The exit code of a program. Why it ends with 1 is the last line of its log: an error that leaves `main` would be a crash, its sentence above
    /// pages of stack frames.
    package static func code(
        of service: String, write: @escaping @Sendable (String) -> Void = JSONLogHandler.standardError, body: @Sendable () async throws -> Void
    ) async -> Int32 {
        do {
            try await body()
            return 0
        } catch {
            let logger = Logger(label: "heartguard.\(service)") { JSONLogHandler(label: $0, write: write) }
            logger.critical("the program ends", metadata: ["reason": "\(error)"])
            return 1
        }
    }
}
