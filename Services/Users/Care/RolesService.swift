internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time
internal import Tokens

/// The method of `heartguard.users.v1.RolesService`.
struct RolesService: Sendable {
    let users: UserRepository
    let sessions: Sessions
    let profiles: Profiles
}

extension RolesService: UsersV1.RolesServiceProtocol {
    func assignRole(_ request: UsersV1.AssignRoleRequest, context: RPCContext) async throws -> UsersV1.AssignRoleResponse {
        let (account, role) = try request.parsed()
        let user: UserID
        switch account {
        case .id(let id): user = UserID(id)
        case .email(let email):
            guard let known = try await users.credentials(of: email) else { throw UsersError.accountGone }
            user = known.user.id
        }
        try await context.willChange(user.uuid)
        try await profiles.changing(user) { try await sessions.assign(role, to: user) }
        return .init(userId: user.uuid.text, role: request.role)
    }
}

/// An account as an operator names it.
enum AccountName: Hashable, Sendable {
    case id(UUID)
    case email(EmailAddress)
}

extension UsersV1.AssignRoleRequest {
    func parsed() throws(RPCError) -> (AccountName, AccessClaims.Role) {
        var violations = FieldViolations()
        let name: AccountName?
        switch account {
        case .userId(let given): name = violations.value("user_id", given, UUID.init(parsing:)).map { .id($0) }
        case .email(let given): name = violations.value("email", given, EmailAddress.init(_:)).map { .email($0) }
        case nil:
            violations.add("account", "A user_id or an email is needed.")
            name = nil
        }
        let role = violations.value("role", role) { role throws(InvalidValue) -> AccessClaims.Role in
            switch role {
            case .user: .user
            case .clinician: .clinician
            case .unspecified: throw InvalidValue("is needed")
            default: throw InvalidValue("is none of the values that this version knows")
            }
        }
        return try violations.complete(name, role)
    }
}
