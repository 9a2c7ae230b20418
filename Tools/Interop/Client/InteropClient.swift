internal import ArgumentParser
internal import Glibc
internal import Logging
internal import RPC

/// The client of gRPC's interoperability tests, as interop-test-descriptions.md wants it.
@main
struct InteropClient: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "interop-client",
        abstract: "Runs one of gRPC's interoperability tests against a server, or all of them.",
        discussion: "Test cases: all, \(TestCase.all.map(\.name).joined(separator: ", ")).")

    @Option(name: .customLong("server_host"), help: "The host to connect to.")
    var host = "127.0.0.1"

    @Option(name: .customLong("server_port"), help: "The port to connect to.")
    var port: Int

    @Option(name: .customLong("server_host_override"), help: "The host to claim to connect to, for TLS and :authority.")
    var hostOverride: String?

    @Option(name: .customLong("test_case"), help: "The test, or several parted by commas.")
    var testCase = "large_unary"

    @Option(name: .customLong("use_tls"), defaultAsFlag: "true", parsing: .next, help: "Whether to speak TLS.")
    var useTLS: String? = nil

    @Option(
        name: .customLong("use_test_ca"), defaultAsFlag: "true", parsing: .next,
        help: "Whether to trust the authority of --ca_file instead of the machine's.")
    var useTestCA: String? = nil

    @Option(name: .customLong("ca_file"), help: "The PEM file of the authority of the tests.")
    var authorityFile: String?

    @Option(name: .customLong("service_config_json"), help: "How calls are made: a service config, as gRPC writes it.")
    var serviceConfig: String?

    @Option(name: .customLong("additional_metadata"), help: "What every request carries: NAME:VALUE;NAME:VALUE.")
    var additionalMetadata: AdditionalMetadata?

    @OptionGroup
    var soak: SoakOptions

    func validate() throws {
        guard (1...65_535).contains(port) else { throw ValidationError("\(port) is not a port.") }
        for flag in [useTLS, useTestCA] where ![nil, "true", "false"].contains(flag) {
            throw ValidationError("\"\(flag ?? "")\" is neither true nor false.")
        }
        guard useTestCA != "true" || authorityFile != nil else { throw ValidationError("--use_test_ca needs --ca_file.") }
        for name in names where TestCase.named(name) == nil {
            throw ValidationError("There is no test case \"\(name)\".")
        }
    }

    private var names: [String] {
        testCase == "all" ? TestCase.all.filter(\.isPartOfAll).map(\.name) : testCase.split(separator: ",").map(String.init)
    }

    func run() async throws {
        let server = TestServer(
            host: host,
            port: port,
            authority: hostOverride.map { "\($0):\(port)" },
            tls: useTLS == "true" ? ClientTLS(trustRoots: useTestCA == "true" ? authorityFile : nil, serverName: hostOverride) : nil,
            serviceConfig: try serviceConfig.map { text in try ServiceConfig(json: text) },
            interceptors: additionalMetadata.map { [$0 as any ClientInterceptor] } ?? [],
            soak: soak)
        var failures = 0
        for name in names {
            do {
                try await TestCase.named(name)?.run(server)
                print("\(name): passed")
            } catch {
                failures += 1
                print("\(name): failed. \(error)")
            }
            fflush(nil)
        }
        if failures > 0 { throw ExitCode(1) }
    }
}
