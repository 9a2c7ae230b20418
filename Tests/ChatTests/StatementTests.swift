internal import Application
internal import FoundationEssentials
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import Testing
internal import Time

@testable internal import Chat

@Suite struct `The statements of Chat` {
    @Test func `run on the migrated schema as the service's role, and do what they say`() async throws {
        let catalogue = try Self.catalogue() + JobStatements.catalogue(in: "chat")

        try await withChatDatabase { postgres in
            try await catalogue.expectSound(on: postgres, bytes: [[UInt8](repeating: 0, count: MemoryEmbedding.byteCount)])
        }
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
        let archive = SessionArchive(
            session: id, title: "title", messageCount: 1, encoding: .identity, content: [1], uncompressedBytes: 1, reason: .age,
            retainUntil: CivilDate(year: 2033, month: 1, day: 1))
        let embedding = try MemoryEmbedding([Float](repeating: 1, count: MemoryModel.dimension))
        let memory = NewMemory(
            clientID: clientID, category: .other, content: try MemoryContent("content"), expiresAt: moment, supersedes: id, embedding: embedding)
        let search = MemorySearch(words: try SearchWords("words"), limit: 1)
        let narrowed = MemorySearch(
            words: try SearchWords("words"), categories: [.other], leastImportance: .half, moment: moment, limit: 1)
        let feedback = NewFeedback(
            clientID: clientID, session: session, message: id, opinion: Opinion(kind: .thumbs, rating: 1, comment: nil, correction: nil))
        let history = HistoryMessage(id: id, sessionID: "session", role: .user, content: "content", saidAt: moment)
        let verification = Verification(
            id: id, message: id, contentSHA256: [1], claim: "claim", verdict: .supported, confidence: .half, sources: [], explanation: "",
            verifier: "verifier", verifiedAt: moment)
        let draft = NewDraft(session: session, clientID: clientID, speaker: .assistant, metadata: .none)

        let name = ThreadName(kept: "thread")
        let key = CheckpointKey(namespace: CheckpointNamespace(kept: ""), id: id)
        let checkpoint = NewCheckpoint(
            thread: name, key: key, parent: id, content: TypedValue(type: "x", data: [1]), channels: [], metadata: try CheckpointMetadata(json: "{}"))
        let segment = Segment(stream: 1, position: 0, bytes: [1, 2, 3])
        let range = segment.head.range
        let written = WritesRow(namespace: "", checkpoint: id, task: "task", path: "", content: [1])
        let place = CheckpointList.Place(id: id, thread: 1, namespace: "")
        let fullList = CheckpointList(
            thread: 1, namespace: key.namespace, id: id, before: id, filter: checkpoint.metadata, place: place, limit: 1)

        let checkpoints: [CataloguedStatement] = [
            .init(.thread(name, of: user)),
            .init(.use(name, number: 1, of: user)),
            .init(.make(name, number: 1, of: user)),
            .init(.lock(name, of: user)),
            .init(.lock(name, unusedFor: .seconds(1), of: user)),
            .init(Statement<CheckpointThread>.lock(1 as Int64, of: user)),
            .init(.deleteThread(1, of: user)),
            .init(.raiseEpoch(1, of: user)),
            .init(.markPruned(1, of: user)),
            .init(.copySegments(of: 1, to: 2, of: user)),
            .init(.copyCheckpoints(of: 1, to: 2, of: user)),
            .init(.copyWrites(of: 1, to: 2, of: user)),
            .init(.heads(of: [range], in: 1, of: user)),
            .init(.heads(of: 1, user)),
            .init(.segments([segment.head], of: 1, user)),
            .init(.segments(of: 1, from: 0, in: 1, user)),
            .init(.ends(of: [1], in: 1, user)),
            .init(.lastStream(of: 1, user)),
            .init(.insert([segment], to: 1, of: user)),
            .init(.replace([segment], of: 1, user)),
            .init(.delete([segment.head], of: 1, user)),
            .init(.checkpoint(key, of: name, user)),
            .init(.newest(in: key.namespace, of: 1, user)),
            .init(.list(CheckpointList(limit: 1), of: user)),
            .init(.list(fullList, of: user)),
            .init(.outlines(of: 1, after: nil, limit: 1, user)),
            .init(.outlines(of: 1, after: key, limit: 1, user)),
            .init(.newestOutlines(of: 1, user)),
            .init(.outline(key, of: 1, user)),
            .init(.count(of: 1, user)),
            .init(.deleteAllBut([key], of: 1, user)),
            .init(.ofRuns(["run"], user)),
            .init(.put(checkpoint, record: range, to: 1, of: user)),
            .init(.renew(checkpoint, in: 1, of: user)),
            .init(.delete([key], of: 1, user)),
            .init(.deleteWrites(behind: [key], of: 1, user)),
            .init(.orphan([key], of: 1, user)),
            .init(.writes(behind: [key], of: 1, user)),
            .init(.writes(of: "task", behind: key, of: 1, user)),
            .init(.writes(of: 1, after: nil, limit: 1, user)),
            .init(.writes(of: 1, after: written, limit: 1, user)),
            .init(.put([written], to: 1, of: user)),
            .init(.threads(unusedFor: .seconds(1), unprunedOnly: true, limit: 1)),
            .init(.beginRetention),
        ]
        return checkpoints + [
            .init(.isRevoked(session: id, of: id)),
            .init(.isGranted([.vitalsRead], by: id)),
            .init(.create(session, title: try SessionTitle("title"), clientID: clientID, for: user)),
            .init(.find(clientID: clientID, of: user)),
            .init(Statement<Session>.find(session, of: user)),
            .init(.list(of: user, archived: false, after: nil, limit: 1)),
            .init(.list(of: user, archived: true, after: .init(updatedAt: moment, id: session), limit: 1)),
            .init(.rename(session, to: try SessionTitle("title"), of: user)),
            .init(.putAway(session, of: user)),
            .init(.restore(session, of: user)),
            .init(.message(id, in: session, of: user)),
            .init(.lockAny(session, of: user)),
            .init(.lock(session, of: user)),
            .init(.messageCount(of: session, user)),
            .init(.find([clientID], in: session, of: user)),
            .init(.append([message], behind: 0, in: session, of: user)),
            .init(.appendFresh([message], to: session, of: user)),
            .init(.page(of: session, user, after: 0, limit: 1, maxBytes: 1)),
            .init(.page(of: session, user, before: 1, limit: 1, maxBytes: 1)),
            .init(.count(1, moreIn: session, of: user)),
            .init(.idleSessions(since: moment, behind: nil, limit: 1)),
            .init(.lockIdle(session, of: user, since: moment)),
            .init(.isArchived(session, of: user)),
            .init(.removeArchivedMessages(of: session)),
            .init(.lockArchives(of: user)),
            .init(.append(archive, of: user)),
            .init(Statement<SessionArchiveRepository.CheckedArchive>.find(id, of: user)),
            .init(.firstBroken(of: user)),
            .init(.archive(of: user, from: 1)),
            .init(.lockMemories(of: user)),
            .init(.known(memory, of: user)),
            .init(.memoryCount(of: user)),
            .init(Statement<Memory>.insert(memory, of: user)),
            .init(.supersede(id, by: id, at: moment, of: user)),
            .init(.supersede(id, by: id, at: nil, of: user)),
            .init(.memory(id, of: user)),
            .init(.list(MemoryList(limit: 1), of: user)),
            .init(.list(MemoryList(scope: .current(moment), category: .other, place: id, limit: 1), of: user)),
            .init(.list(MemoryList(scope: .all, limit: 1), of: user)),
            .init(.history(of: id, behind: nil, limit: 1, user)),
            .init(.history(of: id, behind: (moment, id), limit: 1, user)),
            .init(.moment(of: search)),
            .init(.search(search, of: user)),
            .init(.search(narrowed, of: user)),
            .init(.embedded(search, of: user)),
            .init(.embedded(narrowed, of: user)),
            .init(.found([id], by: narrowed, of: user)),
            .init(Statement<Memory>.embed(id, embedding, of: user)),
            .init(.forget([id], of: user)),
            .init(.give(feedback, of: user)),
            .init(.feedback(of: session, after: nil, limit: 1, of: user)),
            .init(.feedback(of: session, after: id, limit: 1, of: user)),
            .init(.remove(id, of: user, from: FeedbackRepository.table)),
            .init(.removeDrafts(unusedFor: .seconds(1), of: user)),
            .init(.draftLength(clientID, in: session, of: user)),
            .init(.draftCount(in: session, of: user)),
            .init(.begin(draft, of: user)),
            .init(.add("piece", at: 0, to: draft, of: user)),
            .init(.draft(clientID, in: session, of: user)),
            .init(.drafts(of: session, user)),
            .init(.discard([clientID], in: session, of: user)),
            .init(.insert(history, of: user)),
            .init(.history(of: nil, behind: nil, limit: 1, of: user)),
            .init(.history(of: "a", behind: .init(conversation: "a", saidAt: moment, id: id), limit: 1, of: user)),
            .init(Statement<Verification>.insert(verification, of: user)),
            .init(.verification(id, of: user)),
            .init(.verifications(of: id, after: nil, limit: 1, of: user)),
            .init(.verifications(of: id, after: (at: moment, id: id), limit: 1, of: user)),
        ] + HistoryMessageRepository.statements + ErasureStatements.catalogue(in: "chat") + KeptAnswerStatements.catalogue(in: "chat") + ExportStatements.catalogue(in: "chat", table: "feedback")
    }
}
