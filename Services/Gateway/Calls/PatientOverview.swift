import Application
import Contracts
import RPC
import Time

/// Asks all four services at once and answers with what came in time.
struct PatientOverview: Sendable {
    let backends: Backends

    /// Kept back from the caller's deadline, so that the answer still reaches the caller when a service does not.
    static let reserve: Duration = .milliseconds(200)

    func answer(
        _ request: GatewayV1.GetPatientOverviewRequest, context: RPCContext
    ) async throws -> GatewayV1.GetPatientOverviewResponse {
        var violations = FieldViolations()
        violations.check((0...20).contains(request.sessionLimit), "session_limit", "Must be from 0 to 20.")
        try violations.throwIfAny()

        // A part that is not there is marked at once, not waited for.
        let options = CallOptions(metadata: Backends.forwarded(context), waitForReady: false)
        let sessions = ChatV1.ListSessionsRequest(pageSize: request.sessionLimit == 0 ? 5 : request.sessionLimit)
        return await Deadline.with(Self.budget(context.deadline)) {
            async let user = part(.users) { () async throws(RPCError) in
                try await UsersV1.UsersServiceClient(backends[.users]).getProfile(.init(), options: options)
            }
            async let latest = part(.vitals) { () async throws(RPCError) in
                try await VitalsV1.VitalsServiceClient(backends[.vitals]).getLatestObservations(.init(), options: options)
            }
            async let recent = part(.chat) { () async throws(RPCError) in
                try await ChatV1.ChatServiceClient(backends[.chat]).listSessions(sessions, options: options)
            }
            async let collections = part(.vectors) { () async throws(RPCError) in
                try await VectorsV1.VectorsServiceClient(backends[.vectors]).listCollections(.init(), options: options)
            }
            return await GatewayV1.GetPatientOverviewResponse(
                parts: [user.part, latest.part, recent.part, collections.part],
                user: user.answer?.user,
                latestObservations: latest.answer?.observations ?? [],
                recentSessions: recent.answer?.sessions ?? [],
                collections: collections.answer?.collections ?? [])
        }
    }

    private func part<Answer: Sendable>(
        _ backend: Backend, _ ask: () async throws(RPCError) -> Answer
    ) async -> (part: GatewayV1.Part, answer: Answer?) {
        let start = ContinuousClock.now
        var part = GatewayV1.Part(service: backend.rawValue, state: .present)
        var answer: Answer?
        do throws(RPCError) {
            answer = try await ask()
        } catch {
            part.state =
                switch error.code {
                case .unavailable: .unavailable
                case .deadlineExceeded: .timedOut
                default: .failed
                }
        }
        part.elapsedMicroseconds = Int64((ContinuousClock.now - start) / .microseconds(1))
        return (part, answer)
    }

    private static func budget(_ deadline: Deadline?) -> Deadline? {
        guard let deadline else { return nil }
        // A caller in a hurry keeps a tenth for the way back.
        let reserve = min(reserve, deadline.remaining / 10)
        return .after(deadline.remaining - reserve)
    }
}
