internal import ArgumentParser
internal import Foundation
internal import RPC

/// Whose records a command is about: it signs in as that person, for nobody else takes a person's records out or in.
struct PersonOptions: ParsableArguments {
    @OptionGroup var options: StateOptions

    @Option(help: "The account's e-mail address.")
    var email: String

    @Option(help: "A file with the account's password. Not needed for the accounts of the sample data.")
    var passwordFile: String?

    /// Signs in at the Gateway, and closes the connection afterwards.
    func signedIn(_ body: (GatewayClient) async throws -> Void) async throws {
        let directory = options.directory
        let ports = try directory.portsOfRunning()
        let account = Credentials.Account(email: email, password: try password(in: directory))
        let gateway = GatewayClient(host: "127.0.0.1", port: ports[.gateway], authority: directory.certificateAuthority)
        let result: Result<Void, any Error>
        do {
            guard let token = try await SampleAccounts(directory: directory, gateway: gateway).token(of: account) else {
                throw CommandFailure("\(email) cannot sign in with this password.")
            }
            try await body(gateway.signedIn(token))
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await gateway.channel.close()
        try result.get()
    }

    private func password(in directory: StateDirectory) throws -> String {
        if let passwordFile { return try Self.password(in: passwordFile) }
        guard let sample = try Credentials.current(in: directory).samples.first(where: { $0.email == email }) else {
            throw CommandFailure("the password of \(email) is needed: --password-file names a file with it.")
        }
        return sample.password
    }
    static func password(in file: String) throws -> String {
        do {
            return try String(contentsOf: URL(filePath: file), encoding: .utf8).trimmingCharacters(in: .newlines)
        } catch {
            throw CommandFailure("\(file) cannot be read: \(error.localizedDescription)")
        }
    }
}
