internal import Application

/// The Chat service put together: a pool, two repositories, one service.
struct ChatApplication: Sendable {
    private let host: ServiceHost

    init(_ configuration: ChatConfiguration) throws {
        host = try ServiceHost(configuration.common)
    }

    /// Serves until the process is told to stop, or the task is cancelled, and the open calls have ended.
    func run(
        stopSignals: Bool = true, onListening: @escaping @Sendable (_ host: String, _ port: Int) -> Void = { _, _ in }
    ) async throws {
        let sessions = SessionRepository(postgres: host.postgres)
        let service = ChatService(
            sessions: sessions, messages: MessageRepository(postgres: host.postgres),
            recent: RecentSessions(sessions, caches: host.caches))
        try await host.run(services: [service], stopSignals: stopSignals, onListening: onListening)
    }
}
