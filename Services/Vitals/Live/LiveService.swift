internal import Application
internal import Contracts
internal import RPC
internal import Time

/// The method of `heartguard.vitals.v1.LiveService`: what is new of the caller, as it comes.
///
/// A subscriber costs a look at one row of an index each time that it looks, and holds neither a connection nor what it has not taken yet: the next
/// changes are read when the last were written, which waits for a reader who is slow.
struct LiveService: Sendable {
    let feed: LiveFeed
    /// Between two looks that find nothing.
    var pause = Duration.milliseconds(250)
    /// After so long without news there is a sign of life.
    var silence = Duration.seconds(15)
    /// No longer than the method's time limit leaves room for.
    var longest = Duration.seconds(240)
}

extension LiveService: VitalsV1.LiveServiceProtocol {
    func subscribe(
        _ request: VitalsV1.SubscribeRequest, responses: ResponseWriter<VitalsV1.SubscribeResponse>, context: RPCContext
    ) async throws {
        let user = try context.userID
        let end = min(try context.caller().tokenExpiresAt, .now() + longest)
        var position = try await start(request.resumeToken, of: user)
        try await responses.write(.init(resumeToken: ResumeToken(position: position).text))
        var written = ContinuousClock.now
        while Instant.now() < end {
            let news = try await feed.news(of: user, behind: position)
            for change in news.changes {
                try await responses.write(.init(change))
                written = .now
            }
            position = news.position
            guard !news.hasMore else { continue }
            if written + silence <= .now {
                try await responses.write(.init(resumeToken: ResumeToken(position: position).text))
                written = .now
            }
            try await Task.sleep(for: max(.zero, min(pause, end - .now())))
        }
    }
}

extension LiveService {
    /// Where a subscription begins: behind its token, or without one now.
    ///
    /// Throws INVALID_ARGUMENT for a place that the person's timeline has not come to. It is somebody else's, or of before the database was put back,
    /// and whoever waits there would take what is missed for silence.
    func start(_ token: String, of user: UserID) async throws -> Int64 {
        let now = try await feed.position(of: user)
        guard !token.isEmpty else { return now }
        let position = try ResumeToken(parsing: token).position
        guard position <= now else { throw ResumeToken.invalid }
        return position
    }
}

/// Where a subscription goes on. It grants nothing: what it leads to is still the caller's own.
struct ResumeToken: Hashable, Sendable {
    let position: Int64

    init(position: Int64) { self.position = position }

    init(parsing text: String) throws(RPCError) {
        let parts: [String]
        do throws(RPCError) { parts = try PageToken(parsing: text, parts: 2).parts } catch { throw Self.invalid }
        guard parts[0] == "live", let position = Int64(parts[1]), position >= 0 else { throw Self.invalid }
        self.position = position
    }

    fileprivate static var invalid: RPCError {
        .invalid("resume_token", InvalidValue(sentence: "This is not a token of this method and person. Begin without one."))
    }

    var text: String { PageToken(["live", "\(position)"]).text }
}

extension VitalsV1.SubscribeResponse {
    fileprivate init(_ change: LiveFeed.Change) {
        self.init(resumeToken: ResumeToken(position: change.position).text)
        event = switch change.event {
        case .observation(let observation): .observation(.init(observation))
        case .alert(let alert): .alert(.init(alert))
        }
    }
}
