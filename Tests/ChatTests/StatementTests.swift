internal import Application
internal import FoundationEssentials
internal import Postgres
internal import RecordTestSupport
internal import Testing
internal import Time

@testable internal import Chat

@Suite struct `The statements of Chat` {
    @Test func `run on the migrated schema as the service's role, and do what they say`() async throws {
        let catalogue = try Self.catalogue() + JobStatements.catalogue(in: "chat")

        try await withChatDatabase { postgres in try await catalogue.expectSound(on: postgres) }
    }

    @Test func `are all in the catalogue`() throws {
        let shared = try StatementSources("Libraries/Application")

        try StatementSources("Services/Chat").expectComplete(Self.catalogue(), with: [shared])
    }

    private static func catalogue() throws -> [CataloguedStatement] {
        let user = UUID()
        let id = UUID()
        let moment = Instant(microsecondsSinceEpoch: 1_800_000_000_000_000)
        let session = SessionID.make()
        let clientID = try ClientID("client")
        let message = NewMessage(
            clientID: clientID, speaker: .user, content: try MessageContent("text"), metadata: try MessageMetadata(json: "{}"))
        let half = Numeric(1)
        let archive = SessionArchive(
            session: id, title: "title", messageCount: 1, encoding: .identity, content: [1], uncompressedBytes: 1, reason: .age,
            retainUntil: CivilDate(year: 2033, month: 1, day: 1))
        let memory = PatientMemory(id: id, content: "content", category: .other, importance: half)
        let feedback = Feedback(id: id, kind: .thumbs)
        let history = HistoryMessage(id: id, sessionID: "session", role: .user, content: "content", saidAt: moment)
        let verification = ContentVerification(
            id: id, contentSHA256: [1], claim: "claim", verdict: .supported, confidence: half, verifier: "verifier",
            verifiedAt: moment)

        return [
            .init(.create(session, title: try SessionTitle("title"), clientID: clientID, for: user)),
            .init(.find(clientID: clientID, of: user)),
            .init(Statement<Session>.find(session, of: user)),
            .init(.list(of: user, after: nil, limit: 1)),
            .init(.list(of: user, after: .init(updatedAt: moment, id: session), limit: 1)),
            .init(.lock(session, of: user)),
            .init(.messageCount(of: session, user)),
            .init(.find([clientID], in: session, of: user)),
            .init(.append([message], behind: 0, in: session, of: user)),
            .init(.page(of: session, user, after: 0, limit: 1, maxBytes: 1)),
            .init(.count(1, moreIn: session, of: user)),
            .init(.lockArchives(of: user)),
            .init(.append(archive, of: user)),
            .init(Statement<SessionArchiveRepository.CheckedArchive>.find(id, of: user)),
            .init(.firstBroken(of: user)),
            .init(.insert(memory, of: user)),
            .init(.replace(memory, of: user)),
            .init(.search("words", of: user, limit: 1)),
            .init(.insert(feedback, of: user)),
            .init(.replace(feedback, of: user)),
            .init(.insert(history, of: user)),
            .init(.insert(verification, of: user)),
        ] + ContentVerificationRepository.statements + FeedbackRepository.statements + HistoryMessageRepository.statements
            + PatientMemoryRepository.statements
    }
}
