/// The five services; their executables are called heartguard-users and so on.
enum ServiceName: String, CaseIterable, Codable, Sendable {
    case users, vitals, chat, vectors, gateway

    /// Those that own tables.
    static let owners: [ServiceName] = [.users, .vitals, .chat, .vectors]

    var executable: String { "heartguard-\(rawValue)" }

    /// What grpc.health.v1 is asked about.
    var contractName: String {
        "heartguard.\(rawValue).v1.\(rawValue.prefix(1).uppercased())\(rawValue.dropFirst())Service"
    }
}
