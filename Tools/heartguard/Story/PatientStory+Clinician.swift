internal import Contracts
internal import Foundation
internal import RPC
internal import Time

extension PatientStory {
    private static let scopes: [PolicyV1.CareScope] = [.vitalsRead, .medicationsRead]

    /// An operator makes somebody a clinician, the patient lets the clinician into a part of the record, and the clinician reads it, and no more.
    func letClinicianIn() async throws {
        let account = try accounts.clinician()
        let clinician = try await clinicianClient(account)
        let grants = UsersV1.CareGrantsServiceClient(patient.channel)
        let soon = Instant.now() + .seconds(86_400)
        let standing = try await patient.patiently { options throws(RPCError) in
            try await grants.listGrants(.init(pageSize: 100), options: options)
        }.grants.first { grant in
            grant.clinician == .clinicianEmail(account.email) && grant.revokedAt == nil && Self.scopes.allSatisfy(grant.scopes.contains)
                && (grant.expiresAt.flatMap { Instant($0) } ?? soon) > soon
        }
        if standing == nil {
            let grant = UsersV1.GrantAccessRequest(
                id: UUIDv7.make().text, clinician: .clinicianEmail(account.email), scopes: Self.scopes,
                purpose: "Check-up", expiresAt: .init(Instant.now() + .seconds(30 * 86_400)))
            _ = try await patient.patiently { options throws(RPCError) in try await grants.grantAccess(grant, options: options) }
        }

        let users = UsersV1.UsersServiceClient(patient.channel)
        let person = try await patient.patiently { options throws(RPCError) in
            try await users.getProfile(.init(), options: options)
        }.user
        let reading = clinician.acting(for: person?.id ?? "")
        let vitals = VitalsV1.VitalsServiceClient(reading.channel)
        let latest = try await reading.patiently { options throws(RPCError) in
            try await vitals.getLatestObservations(.init(), options: options)
        }.observations
        let memories = ChatV1.MemoriesServiceClient(reading.channel)
        var refusal = "the same of memories, which were not granted"
        do {
            _ = try await reading.patiently { options throws(RPCError) in try await memories.listMemories(.init(), options: options) }
        } catch let error as RPCError where error.code == .permissionDenied {
            refusal = "memories were not granted, and are refused"
        }
        progress.step(
            "clinician", "\(account.email) was let into vitals and medications, and reads the newest reading of each of \(latest.count) kinds; \(refusal)")
    }

    private func clinicianClient(_ account: Credentials.Account) async throws -> GatewayClient {
        _ = try await accounts.signIn(account, name: "Dr. Sample Clinician")
        let `operator` = try await accounts.signedInOperator()
        let roles = UsersV1.RolesServiceClient(`operator`.channel)
        _ = try await `operator`.patiently { options throws(RPCError) in
            try await roles.assignRole(.init(account: .email(account.email), role: .clinician), options: options)
        }
        // A new role ends the sessions that were begun in another.
        return try await accounts.signIn(account, name: "Dr. Sample Clinician").client
    }
}
