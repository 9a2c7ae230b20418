internal import Application

/// What the Chat service is told at its start.
struct ChatConfiguration: Sendable {
    let common: ServiceConfiguration
    /// Where Vectors is, which forgets what is forgotten here.
    let vectors: (host: String, port: Int)
    /// What is kept in Redis of the threads that are in use.
    let hotCheckpoints: HotSegments.Settings
    /// When what agents keep is deleted by age.
    let retention: RetentionSchedule.Settings
    /// When conversations move into archives.
    let archives: SessionArchiver.Settings

    /// Throws one error that names every setting that is missing or cannot be used.
    init(environment: [String: String]) throws(SettingsError) {
        var settings = Settings(environment: environment)
        common = ServiceConfiguration(service: "chat", from: &settings)
        vectors = settings.address("HEARTGUARD_VECTORS_ADDRESS")
        var hot = HotSegments.Settings()
        hot.life = .seconds(settings.int("HEARTGUARD_CHAT_CHECKPOINT_HOT_SECONDS", default: 3_600, in: 1...604_800))
        hot.share = settings.int("HEARTGUARD_CHAT_CHECKPOINT_HOT_PERCENT", default: 50, in: 0...90)
        hotCheckpoints = hot
        retention = RetentionSchedule.Settings(
            historyLife: .seconds(86_400 * settings.int("HEARTGUARD_CHAT_CHECKPOINT_HISTORY_DAYS", default: 30, in: 0...36_500)),
            threadLife: .seconds(86_400 * settings.int("HEARTGUARD_CHAT_CHECKPOINT_THREAD_DAYS", default: 0, in: 0...36_500)))
        archives = SessionArchiver.Settings(
            idle: .seconds(86_400 * settings.int("HEARTGUARD_CHAT_ARCHIVE_IDLE_DAYS", default: 365, in: 0...36_500)),
            retentionYears: settings.int("HEARTGUARD_CHAT_ARCHIVE_RETAIN_YEARS", default: 10, in: 1...100))
        try settings.finish()
    }
}
