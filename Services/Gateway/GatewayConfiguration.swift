import Application
import Resilience

/// What the Gateway is told: where the services are, where it answers JSON, and how much a caller may ask for.
struct GatewayConfiguration: Sendable {
    let common: ServiceConfiguration
    let jsonPort: Int
    let backends: [Backend: Address]
    let limits: RateLimits
    let shares: ShareConfiguration
    let guards: Guards

    struct Address: Sendable, Equatable {
        let host: String
        let port: Int
    }

    /// How much one caller may ask for in one window, in the cost units of the contract's policies.
    struct RateLimits: Sendable, Equatable {
        enum Algorithm: String, CaseIterable { case gcra, window }

        var signedIn: RateLimit
        var anonymous: RateLimit
        var algorithm: Algorithm
    }

    /// What keeps a service that is in trouble from taking the Gateway with it.
    struct Guards: Sendable {
        var breaker: BreakerConfiguration
        /// Calls of one service at a time, those that wait for a place, and for how long.
        var calls: Int
        var waitingCalls: Int
        var wait: Duration
        /// Calls of streams of one service at a time.
        var streams: Int
    }

    /// Reads every setting; throws one error that names all that are missing or cannot be used.
    init(environment: [String: String]) throws(SettingsError) {
        var settings = Settings(environment: environment)
        common = ServiceConfiguration(service: "gateway", keepsRecords: false, loopPerCore: true, from: &settings)
        jsonPort = settings.port("HEARTGUARD_JSON_PORT", allowsAny: true)
        var backends: [Backend: Address] = [:]
        for backend in Backend.allCases {
            let address = settings.address("HEARTGUARD_\(backend.rawValue.uppercased())_ADDRESS")
            backends[backend] = Address(host: address.host, port: address.port)
        }
        self.backends = backends
        limits = Self.limits(from: &settings)
        shares = Self.shares(from: &settings)
        guards = Self.guards(from: &settings)
        try settings.finish()
    }

    private static func limits(from settings: inout Settings) -> RateLimits {
        let window = Duration.seconds(settings.int("HEARTGUARD_RATE_WINDOW_SECONDS", default: 60, in: 1...3_600))
        let units = 1...10_000_000
        let name = settings.string("HEARTGUARD_RATE_ALGORITHM", default: RateLimits.Algorithm.gcra.rawValue)
        if RateLimits.Algorithm(rawValue: name) == nil { settings.report("HEARTGUARD_RATE_ALGORITHM is neither gcra nor window.") }
        return RateLimits(
            signedIn: RateLimit(units: settings.int("HEARTGUARD_RATE_LIMIT_USER", default: 1_200, in: units), window: window),
            anonymous: RateLimit(
                units: settings.int("HEARTGUARD_RATE_LIMIT_ANONYMOUS", default: 600, in: units), window: window),
            algorithm: RateLimits.Algorithm(rawValue: name) ?? .gcra)
    }

    private static func shares(from settings: inout Settings) -> ShareConfiguration {
        var shares = ShareConfiguration()
        shares.patience = .milliseconds(settings.int("HEARTGUARD_RATE_PATIENCE_MS", default: 30, in: 1...60_000))
        shares.assumedReplicas = settings.int("HEARTGUARD_RATE_ASSUMED_GATEWAYS", default: 4, in: 1...1_000)
        return shares
    }

    private static func guards(from settings: inout Settings) -> Guards {
        var breaker = BreakerConfiguration()
        breaker.minimumCalls = settings.int("HEARTGUARD_BREAKER_MIN_CALLS", default: 20, in: 1...10_000)
        breaker.failureShare = Double(settings.int("HEARTGUARD_BREAKER_FAILURE_PERCENT", default: 50, in: 1...100)) / 100
        breaker.openTime = .milliseconds(settings.int("HEARTGUARD_BREAKER_OPEN_MS", default: 5_000, in: 100...600_000))
        return Guards(
            breaker: breaker,
            calls: settings.int("HEARTGUARD_SERVICE_MAX_CALLS", default: 512, in: 1...100_000),
            waitingCalls: settings.int("HEARTGUARD_SERVICE_MAX_WAITING", default: 512, in: 0...100_000),
            wait: .milliseconds(settings.int("HEARTGUARD_SERVICE_MAX_WAIT_MS", default: 1_000, in: 1...60_000)),
            streams: settings.int("HEARTGUARD_SERVICE_MAX_STREAMS", default: 2_000, in: 1...100_000))
    }
}
