import Application
import Cache
import Contracts
import RPC
import Time

/// Asks all four services at once and answers with what came in time. A whole answer is kept for a while.
struct PatientOverview: Sendable {
    private let backends: Backends
    private let cache: TieredCache<GatewayV1.GetPatientOverviewResponse>

    /// The most conversations that anybody may ask for, and what is kept.
    private static let mostSessions: Int32 = 20

    init(backends: Backends, caches: CacheHub) {
        self.backends = backends
        // Other programs change what it is made of; kept in Redis alone, and made of what they answer past their memories, it is never older than
        // their changes.
        cache = TieredCache(
            of: GatewayV1.GatewayServiceMethods.getPatientOverview.descriptor, hub: caches,
            keeping: { $0.parts.allSatisfy { $0.state == .present } }, locally: false)
    }

    /// Throws UNAUTHENTICATED if a service says that the caller's session has ended, and PERMISSION_DENIED if the patient has let the caller into no
    /// part. What is kept is the person's own overview: for a patient each service is asked, and looks whether the grant stands.
    func answer(
        _ request: GatewayV1.GetPatientOverviewRequest, context: RPCContext
    ) async throws -> GatewayV1.GetPatientOverviewResponse {
        var violations = FieldViolations()
        violations.check((0...Self.mostSessions).contains(request.sessionLimit), "session_limit", "Must be from 0 to 20.")
        try violations.throwIfAny()

        let caller = try context.caller()
        var answer: GatewayV1.GetPatientOverviewResponse
        if caller.isSessionChecked, !caller.actsForPatient {
            let entry = CacheEntry.patientOverview(of: caller.userID)
            let kept = try await cache.value(for: entry.key) { try await ask(context) }
            // What is asked for is never absent.
            answer = kept ?? .init()
        } else {
            answer = try await ask(context)
        }
        answer.recentSessions = Array(answer.recentSessions.prefix(Int(request.sessionLimit == 0 ? 5 : request.sessionLimit)))
        return answer
    }

    private func ask(_ context: RPCContext) async throws -> GatewayV1.GetPatientOverviewResponse {
        // A part that is not there is marked at once, not waited for.
        var metadata = Backends.forwarded(context)
        // A replica that has yet to hear of another's change would have what was before it kept for as long as the overview.
        metadata.askPastMemory()
        let options = CallOptions(metadata: metadata, waitForReady: false)
        let shared = CallOptions(metadata: Backends.ofCaller(context), waitForReady: false)
        let sessions = ChatV1.ListSessionsRequest(pageSize: Self.mostSessions)
        return try await PartsBudget.within(context.deadline) {
            async let user = PartialAnswer.of(.users) { () async throws(RPCError) in
                try await UsersV1.UsersServiceClient(backends[.users]).getProfile(.init(), options: options)
            }
            async let latest = PartialAnswer.of(.vitals) { () async throws(RPCError) in
                try await VitalsV1.VitalsServiceClient(backends[.vitals]).getLatestObservations(.init(), options: options)
            }
            async let recent = PartialAnswer.of(.chat) { () async throws(RPCError) in
                try await ChatV1.ChatServiceClient(backends[.chat]).listSessions(sessions, options: options)
            }
            async let collections = PartialAnswer.of(.vectors) { () async throws(RPCError) in
                try await VectorsV1.VectorsServiceClient(backends[.vectors]).listCollections(.init(), options: shared)
            }
            let parts = await [user.part, latest.part, recent.part, collections.part]
            if let refusal = await [user.refusal, latest.refusal, recent.refusal, collections.refusal].lazy.compactMap(\.self).first {
                throw refusal
            }
            let own = await [user.error, latest.error, recent.error]
            if !own.contains(where: { $0 == nil }), let denial = own.lazy.compactMap(\.self).first(where: { $0.code == .permissionDenied }) {
                throw denial
            }
            return await GatewayV1.GetPatientOverviewResponse(
                parts: parts,
                user: user.answer?.user,
                latestObservations: latest.answer?.observations ?? [],
                recentSessions: recent.answer?.sessions ?? [],
                collections: collections.answer?.collections ?? [])
        }
    }
}
