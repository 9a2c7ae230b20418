import Application

/// What the Gateway is told: where the services are, where it answers JSON, and how much a caller may ask for.
struct GatewayConfiguration: Sendable {
    let common: ServiceConfiguration
    let jsonPort: Int
    let backends: [Backend: Address]
    let limits: RateLimits

    struct Address: Sendable, Equatable {
        let host: String
        let port: Int
    }

    /// How much one caller may ask for in one sliding window, in the cost units of the contract's policies.
    struct RateLimits: Sendable, Equatable {
        var window: Duration
        var signedIn: Int
        var anonymous: Int
    }

    /// Reads every setting; throws one error that names all that are missing or cannot be used.
    init(environment: [String: String]) throws(SettingsError) {
        var settings = Settings(environment: environment)
        common = ServiceConfiguration(service: "gateway", keepsRecords: false, from: &settings)
        jsonPort = settings.port("HEARTGUARD_JSON_PORT", allowsAny: true)
        var backends: [Backend: Address] = [:]
        for backend in Backend.allCases {
            let address = settings.address("HEARTGUARD_\(backend.rawValue.uppercased())_ADDRESS")
            backends[backend] = Address(host: address.host, port: address.port)
        }
        self.backends = backends
        limits = RateLimits(
            window: .seconds(settings.int("HEARTGUARD_RATE_WINDOW_SECONDS", default: 60, in: 1...3_600)),
            signedIn: settings.int("HEARTGUARD_RATE_LIMIT_USER", default: 1_200, in: 1...10_000_000),
            anonymous: settings.int("HEARTGUARD_RATE_LIMIT_ANONYMOUS", default: 600, in: 1...10_000_000))
        try settings.finish()
    }
}
