internal import ArgumentParser
internal import Contracts
internal import RPC

struct RoleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "role", abstract: "Makes an account a clinician's, or a user's again, through the Gateway of the running cluster.",
        discussion: "Every session of the account ends, and so does all access that patients have given it. Having the role already changes nothing.")

    @OptionGroup var options: StateOptions

    @Argument(help: "The account's e-mail address.")
    var email: String

    @Argument(help: "clinician or user.")
    var role: Role

    enum Role: String, ExpressibleByArgument, CaseIterable {
        case clinician, user

        var inContract: UsersV1.AccountRole {
            switch self {
            case .clinician: .clinician
            case .user: .user
            }
        }
    }

    func run() async throws {
        let directory = options.directory
        let ports = try directory.portsOfRunning()
        let gateway = GatewayClient(host: "127.0.0.1", port: ports[.gateway], authority: directory.certificateAuthority)
        let result: Result<Void, any Error>
        do { result = .success(try await assign(through: SampleAccounts(directory: directory, gateway: gateway))) } catch { result = .failure(error) }
        await gateway.channel.close()
        try result.get()
    }

    private func assign(through accounts: SampleAccounts) async throws {
        let account = try Credentials.current(in: accounts.directory).operator
        guard let token = try await accounts.token(of: account) else {
            throw CommandFailure("the operator's account \(account.email) cannot sign in.")
        }
        let client = accounts.gateway.signedIn(token)
        do {
            let answer = try await client.patiently { options throws(RPCError) in
                try await UsersV1.RolesServiceClient(client.channel).assignRole(
                    .init(account: .email(email), role: role.inContract), options: options)
            }
            print("the account \(answer.userId) is a \(role.rawValue)'s now")
        } catch let error as RPCError {
            throw CommandFailure("the role was not given: \(error.message)")
        }
    }
}
