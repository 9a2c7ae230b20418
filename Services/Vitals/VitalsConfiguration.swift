internal import Application

/// What the vitals service is told; every setting that is missing or unusable is reported together.
struct VitalsConfiguration: Sendable {
    let common: ServiceConfiguration

    init(environment: [String: String]) throws {
        var settings = Settings(environment: environment)
        common = ServiceConfiguration(service: "vitals", from: &settings)
        try settings.finish()
    }
}
