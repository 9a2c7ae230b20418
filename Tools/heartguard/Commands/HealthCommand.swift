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

    func validate() throws { _ = try place() }

    /// An IPv6 address stands in brackets, as in a URL.
    func place() throws -> (host: String, port: Int) {
        guard let colon = address.lastIndex(of: ":"), let port = Int(address[address.index(after: colon)...]), (1...65535).contains(port),
            case let host = address[..<colon], !host.isEmpty
        else { throw ValidationError("\"\(address)\" is not HOST:PORT.") }
        let isInBrackets = host.hasPrefix("[") && host.hasSuffix("]")
        return (isInBrackets ? String(host.dropFirst().dropLast()) : String(host), port)
    }

    func run() async throws {
        let (host, port) = try place()
        let state = await HealthCheck(host: host, port: port, authority: ca).state(ofContract: service)
        print(state)
        if state != .serving { throw ExitCode(1) }
    }
}
