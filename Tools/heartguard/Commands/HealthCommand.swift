internal import ArgumentParser

struct HealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health", abstract: "Asks one service over grpc.health.v1; succeeds when it reports SERVING.")

    @Argument(help: "HOST:PORT")
    var address: String

    @Option(help: "The PEM file of the certificate authority.")
    var ca: String

    @Option(help: "The service asked about, by its full name; empty: the program.")
    var service = ""

    func run() async throws {
        guard let colon = address.lastIndex(of: ":"), let port = Int(address[address.index(after: colon)...]),
            (1...65535).contains(port)
        else { throw ValidationError("\"\(address)\" is not HOST:PORT.") }
        let state = await HealthCheck(host: String(address[..<colon]), port: port, authority: ca).state(ofContract: service)
        print(state)
        if state != .serving { throw ExitCode(1) }
    }
}
