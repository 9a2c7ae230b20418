package import Audit
package import RPC
internal import Synchronization

/// Where the events of a program go: its own recorder, or another program's.
package final class AuditOutlet: Sendable {
    package typealias Target = @Sendable (AuditEvent) async throws(RPCError) -> Void

    /// A function that stands in a generic value by itself gets a wrapping more at each access of the value, so it is in a struct.
    private struct Route {
        let target: Target
    }

    private let route: Mutex<Route?>

    init(_ target: Target?) { route = Mutex(target.map(Route.init)) }

    /// Says where the events go, in a program that has no recorder.
    package func lead(to target: @escaping Target) { route.withLock { $0 = Route(target: target) } }

    /// Returns when the event is on record. Throws UNAVAILABLE where it could not be put there.
    nonisolated(nonsending) func record(_ event: AuditEvent) async throws(RPCError) {
        guard let route = route.withLock({ $0 }) else {
            throw RPCError.unavailable("The call cannot be put on record right now, and nothing is answered without that.")
        }
        try await route.target(event)
    }
}

extension AuditOutlet {
    convenience init(_ recorder: AuditRecorder?) {
        self.init(recorder.map(AuditOutlet.target))
    }

    private static func target(_ recorder: AuditRecorder) -> Target {
        { event async throws(RPCError) in
            do throws(AuditError) { try await recorder.record(event) } catch { throw error.rpcError }
        }
    }
}

extension AuditError: RPCErrorConvertible {
    package var rpcError: RPCError {
        switch code {
        case .cancelled: RPCError(.cancelled, message, cause: cause)
        case .full, .notWritten, .stopping: .unavailable(message, cause: cause)
        }
    }
}
