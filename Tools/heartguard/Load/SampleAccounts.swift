internal import Contracts
internal import RPC

/// The accounts of the people in the sample data. Their passwords are random and stand in credentials.json before the
/// account is opened, so a run that is cut short is taken up by the next.
struct SampleAccounts: Sendable {
    let directory: StateDirectory
    let gateway: GatewayClient

    /// The account of each subject, in order; makes the missing passwords.
    func accounts(for subjects: [String]) throws -> [Credentials.Account] {
        var credentials = try Credentials.current(in: directory)
        let accounts = subjects.map { subject in
            let email = Self.email(of: subject)
            return credentials.samples.first { $0.email == email } ?? Credentials.Account(email: email, password: Secrets.random())
        }
        if credentials.samples != accounts {
            credentials.samples = accounts
            try credentials.save(in: directory)
        }
        return accounts
    }

    /// The account of a clinician, whom no sample data is about; makes the missing password.
    func clinician() throws -> Credentials.Account {
        var credentials = try Credentials.current(in: directory)
        if let account = credentials.clinician { return account }
        let account = Credentials.Account(email: "clinician@heartguard.test", password: Secrets.random())
        credentials.clinician = account
        try credentials.save(in: directory)
        return account
    }

    func signedInOperator() async throws -> GatewayClient {
        let `operator` = try Credentials.current(in: directory).operator
        guard let token = try await token(of: `operator`) else {
            throw CommandFailure("the operator's account \(`operator`.email) cannot sign in; \(directory.log("users")) may say why.")
        }
        return gateway.signedIn(token)
    }

    static func email(of subject: String) -> String { "cgm-\(subject)@heartguard.test" }

    /// Signs in, and opens the account first when there is none. Returns whether it did.
    func signIn(_ account: Credentials.Account, name: String) async throws -> (client: GatewayClient, isNew: Bool) {
        if let token = try await token(of: account) { return (gateway.signedIn(token), false) }
        let users = UsersV1.UsersServiceClient(gateway.channel)
        let request = UsersV1.RegisterRequest(email: account.email, password: account.password, name: name, timeZone: "UTC")
        do {
            let answer = try await users.register(request, options: gateway.options)
            return (gateway.signedIn(answer.tokens?.accessToken ?? ""), true)
        } catch {
            guard error.code == .resourceExhausted, let wait = GatewayClient.retryDelay(of: error) else { throw error }
            try await Task.sleep(for: wait)
            return try await signIn(account, name: name)
        }
    }

    /// Nil when there is no such account.
    func token(of account: Credentials.Account) async throws -> String? {
        let users = UsersV1.UsersServiceClient(gateway.channel)
        do {
            let answer = try await gateway.patiently { options throws(RPCError) in
                try await users.logIn(.init(email: account.email, password: account.password), options: options)
            }
            return answer.tokens?.accessToken
        } catch let error as RPCError where error.code == .unauthenticated {
            return nil
        }
    }
}
