internal import Contracts
internal import Logging
internal import RPC

/// Asks a service over grpc.health.v1 whether it takes calls.
struct HealthCheck: Sendable {
    enum State: Equatable, Sendable, CustomStringConvertible {
        case serving
        case notServing
        /// The service could not be asked; the reason is a sentence.
        case unreachable(String)

        var description: String {
            switch self {
            case .serving: "SERVING"
            case .notServing: "NOT_SERVING; its log says why"
            case .unreachable(let reason): "unreachable: \(reason)"
            }
        }
    }

    let host: String
    let port: Int
    /// The PEM file of the authority that signed its certificate.
    let authority: String

    /// Answers within the time limit, whatever the service does.
    func state(ofContract name: String, within limit: Duration = .seconds(3)) async -> State {
        let channel = RPCChannel(
            target: (host: host, port: port), tls: ClientTLS(trustRoots: authority), logger: .silent)
        let state: State
        do {
            let answer = try await GRPCHealthV1.HealthClient(channel).check(
                .init(service: name), options: CallOptions(timeout: limit))
            state = answer.status == .serving ? .serving : .notServing
        } catch {
            state = .unreachable("\(error)")
        }
        await channel.close()
        return state
    }

    func state(of service: ServiceName) async -> State { await state(ofContract: service.contractName) }
}

extension Logger {
    /// For what reports to a person in its own words.
    static let silent = Logger(label: "heartguard") { _ in SwiftLogNoOpLogHandler() }
}
