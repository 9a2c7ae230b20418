internal import Application

/// What the vitals service is told; every setting that is missing or unusable is reported together.
struct VitalsConfiguration: Sendable {
    let common: ServiceConfiguration
    /// Where Users is, which tells people of their alerts.
    let users: (host: String, port: Int)

    init(environment: [String: String]) throws {
        var settings = Settings(environment: environment)
        common = ServiceConfiguration(service: "vitals", from: &settings)
        users = settings.address("HEARTGUARD_USERS_ADDRESS")
        try settings.finish()
    }
}
