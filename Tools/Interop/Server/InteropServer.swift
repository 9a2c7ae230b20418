internal import ArgumentParser
internal import Glibc
internal import Logging
internal import RPC

/// The server of gRPC's interoperability tests, as interop-test-descriptions.md wants it.
@main
struct InteropServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "interop-server",
        abstract: "Serves grpc.testing.TestService for gRPC's interoperability tests, on loopback.")

    @Option(help: "The port to listen on; 0 lets the system choose.")
    var port: Int

    @Option(name: .customLong("use_tls"), defaultAsFlag: "true", parsing: .next, help: "Whether to speak TLS.")
    var useTLS: String? = nil

    @Option(name: .customLong("tls_cert_file"), help: "The PEM file of the server's certificate.")
    var certificate: String?

    @Option(name: .customLong("tls_key_file"), help: "The PEM file of its private key.")
    var privateKey: String?

    @Option(help: "The address to listen on.")
    var host = "127.0.0.1"

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("\(port) is not a port.") }
        guard [nil, "true", "false"].contains(useTLS) else {
            throw ValidationError("\"\(useTLS ?? "")\" is neither true nor false.")
        }
        guard useTLS != "true" || (certificate != nil && privateKey != nil) else {
            throw ValidationError("--use_tls needs --tls_cert_file and --tls_key_file.")
        }
    }

    func run() async throws {
        var configuration = RPCServerConfiguration(host: host, port: port)
        if useTLS == "true", let certificate, let privateKey {
            configuration.tls = TLSFiles(certificateChain: certificate, privateKey: privateKey)
        }
        let server = RPCServer(
            configuration: configuration,
            services: [InteropService()],
            interceptors: [MetadataEcho()],
            logger: Logger(label: "interop-server"))
        try await server.run { host, port in
            print("listening on \(host):\(port)")
            fflush(nil)
        }
    }
}
