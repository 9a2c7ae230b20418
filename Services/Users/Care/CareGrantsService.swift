internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC

/// The methods of `heartguard.users.v1.CareGrantsService`.
struct CareGrantsService: Sendable {
    let grants: CareGrantRepository
}

extension CareGrantsService: UsersV1.CareGrantsServiceProtocol {
    func grantAccess(_ request: UsersV1.GrantAccessRequest, context: RPCContext) async throws -> UsersV1.GrantAccessResponse {
        let patient = UserID(try context.caller().userID)
        return .init(grant: .init(try await grants.give(try GrantWish(request, by: patient), by: patient)))
    }

    func listGrants(_ request: UsersV1.ListGrantsRequest, context: RPCContext) async throws -> UsersV1.ListGrantsResponse {
        let patient = UserID(try context.caller().userID)
        let list = try IDList("grants", request.pageSize, request.pageToken)
        let (page, next) = list.page(try await grants.list(by: patient, after: list.place, limit: list.size + 1)) { $0.id }
        return .init(grants: page.map { .init($0) }, nextPageToken: next)
    }

    func revokeGrant(_ request: UsersV1.RevokeGrantRequest, context: RPCContext) async throws -> UsersV1.RevokeGrantResponse {
        let patient = UserID(try context.caller().userID)
        guard let ended = try await grants.revoke(try UUID.named("grant_id", request.grantId), by: patient) else { throw RecordError.notFound }
        return .init(grant: .init(ended))
    }

    func listPatients(_ request: UsersV1.ListPatientsRequest, context: RPCContext) async throws -> UsersV1.ListPatientsResponse {
        let clinician = UserID(try context.caller().userID)
        let list = try IDList("patients", request.pageSize, request.pageToken)
        let (page, next) = list.page(try await grants.patients(of: clinician, after: list.place, limit: list.size + 1)) { $0.id.uuid }
        return .init(patients: page.map { .init($0) }, nextPageToken: next)
    }
}

/// What a caller asks of a list in the order of ids.
private struct IDList {
    let name: String
    let size: Int
    let place: UUID?

    init(_ name: String, _ pageSize: Int32, _ pageToken: String) throws(RPCError) {
        var violations = FieldViolations()
        let size = violations.pageSize(pageSize, usual: 20, most: 100)
        self.size = try violations.complete(size)
        self.name = name
        place = try PageToken.id(pageToken, of: [name])
    }

    /// A page of what was read with one more than the page holds, and the token of the next one.
    func page<Value>(_ read: [Value], _ id: (Value) -> UUID) -> (ArraySlice<Value>, next: String) {
        let (page, next) = PageToken.page(read, of: size) { PageToken(of: [name], behind: id($0)) }
        return (page, next)
    }
}
