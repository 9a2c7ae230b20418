internal import Application

/// What the Chat service is told at its start.
struct ChatConfiguration: Sendable {
    let common: ServiceConfiguration

    /// Throws one error that names every setting that is missing or cannot be used.
    init(environment: [String: String]) throws(SettingsError) {
        var settings = Settings(environment: environment)
        common = ServiceConfiguration(service: "chat", from: &settings)
        try settings.finish()
    }
}
