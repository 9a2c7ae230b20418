internal import Foundation

/// Tells a person where the cluster is and what to try first.
struct Endpoints: Sendable {
    let directory: StateDirectory
    let progress: Progress

    func show() throws {
        guard let ports = try directory.read(Ports.self, from: directory.ports) else { return }
        let authority = shortened(directory.certificateAuthority)
        let grpc = "127.0.0.1:\(ports[.gateway])"
        let json = "https://127.0.0.1:\(ports[.json])"
        progress.line("")
        progress.line("Endpoints")
        progress.step("gRPC", "\(grpc), TLS, with reflection and health")
        progress.step("JSON", json)
        progress.step("CA certificate", authority)
        progress.step("logins", "\(shortened(directory.credentials)), of the operator, the sample people, the clinician and the stores")
        progress.step("for programs", "\(shortened(directory.cluster)), where all of it listens and with which authority and logins")
        guard let account = try Credentials.current(in: directory).samples.first else { return }
        progress.line(
            """

            Try it: sign in with JSON, then ask with either
              TOKEN=$(curl -sS --cacert \(authority) \(json)/v1/sessions \\
                --json '{"email": "\(account.email)", "password": "\(account.password)"}' |
                python3 -c 'import json, sys; print(json.load(sys.stdin)["tokens"]["accessToken"])')
              curl -sS --cacert \(authority) -H "authorization: Bearer $TOKEN" '\(json)/v1/observations?code=\(SampleVitals.glucose)&page_size=3'
              Scripts/grpc-call -H "authorization: Bearer $TOKEN" heartguard.gateway.v1.GatewayService/GetPatientOverview '{}'
            grpcurl takes the same: grpcurl -cacert \(authority) -H "authorization: Bearer $TOKEN" \(grpc) heartguard.gateway.v1.GatewayService/GetPatientOverview
            """)
    }

    /// Relative to where the person stands, if it is below.
    private func shortened(_ path: String) -> String {
        let here = FileManager.default.currentDirectoryPath + "/"
        return path.hasPrefix(here) ? String(path.dropFirst(here.count)) : path
    }
}
