import Audit
import Application
import Contracts
import RPC
import Time

/// Has the calls put on record that the Gateway answers itself, or turns away: by any service that keeps records, since they all write one log.
struct AuditIntake: Sendable {
    let backends: Backends
    let answers: LastAnswers

    /// How long the services are asked, whatever has become of the call.
    private static let patience = Duration.seconds(2)
    /// How long one of them is waited for that says nothing.
    private static let patienceWithOne = Duration.seconds(1)

    /// Returns when the event is on record. Whoever hung up meanwhile is put on record all the same.
    ///
    /// The one that has answered last is asked first, for it is there. The next one is asked only where the one before is not there. One that breaks off in the middle may leave a second event behind,
    /// and never none.
    func record(_ event: AuditEvent) async throws(RPCError) {
        let request = AuditV1.RecordAccessRequest(event)
        // A task of its own is not cancelled with the call's.
        let services = answers.services
        let result = await Task { [backends] () -> Result<Void, RPCError> in
            await Deadline.with(.after(Self.patience)) {
                var last: RPCError?
                for backend in services {
                    do throws(RPCError) {
                        let client = AuditV1.AuditIntakeServiceClient(backends[backend])
                        _ = try await client.recordAccess(request, options: CallOptions(timeout: Self.patienceWithOne, waitForReady: false))
                        return .success(())
                    } catch {
                        last = error
                    }
                }
                return .failure(last ?? RPCError(.unavailable, ""))
            }
        }.value
        do throws(RPCError) {
            try result.get()
        } catch {
            throw .unavailable("The call cannot be put on record right now, and nothing is answered without that.", cause: error)
        }
    }
}
