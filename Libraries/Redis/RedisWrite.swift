internal import NIOCore

/// What goes out in one piece and is answered in one: a request's commands, or one run of a script for several requests.
enum RedisWrite {
    case one(RedisRequest)
    /// Each has a share of the same script, in the order of its keys.
    case shared([RedisRequest])

    /// How many requests one run of a script answers for: enough that the cost of a run counts no more, and few enough
    /// that nobody waits behind it.
    private static let mostShared = 64

    /// Puts together what can share a run. Requests that wait at the same time have no order among each other.
    static func grouping(_ requests: [RedisRequest]) -> [RedisWrite] {
        var writes: [RedisWrite] = []
        writes.reserveCapacity(requests.count)
        var open: [ScriptShare.Kind: Int] = [:]
        for request in requests {
            guard let kind = request.share?.kind else {
                writes.append(.one(request))
                continue
            }
            if let index = open[kind], case .shared(var group) = writes[index], group.count < mostShared {
                // Taken out, so that the array is not copied.
                writes[index] = .shared([])
                group.append(request)
                writes[index] = .shared(group)
            } else {
                open[kind] = writes.count
                writes.append(.shared([request]))
            }
        }
        return writes
    }

    private var requests: [RedisRequest] {
        switch self {
        case .one(let request): [request]
        case .shared(let requests): requests
        }
    }

    private var replyCount: Int {
        switch self {
        case .one(let request): request.commandCount
        case .shared: 1
        }
    }

    func write(to buffer: inout ByteBuffer) {
        switch self {
        case .one(let request): for command in request.commands { command.write(to: &buffer) }
        case .shared(let requests): ScriptShare.write(requests.compactMap(\.share), to: &buffer)
        }
    }

    var isSettled: Bool { requests.allSatisfy(\.isSettled) }

    /// When the first of those that still wait gives up.
    var nextDeadline: NIODeadline? { requests.lazy.filter { !$0.isSettled }.map(\.deadline).min() }

    func expire(at now: NIODeadline) {
        for request in requests where request.deadline <= now { request.expire() }
    }

    /// Whether these replies were all; then they have been handed out.
    func settle(_ replies: [RESPValue]) -> Bool {
        guard replies.count == replyCount else { return false }
        switch self {
        case .one(let request):
            request.settle(.success(replies))
        case .shared(let requests):
            for (index, request) in requests.enumerated() { request.settle(answer(index, in: replies[0])) }
        }
        return true
    }

    /// One request's part of what a script answered for all; an error instead of the array is everybody's.
    private func answer(_ index: Int, in reply: RESPValue) -> RedisRequest.Answer {
        switch reply {
        case .array(let answers) where answers.count == requests.count: .success([answers[index]])
        case .error: .success([reply])
        default: .failure(.unexpectedReply(to: "EVALSHA"))
        }
    }

    func fail(_ error: (_ name: String) -> RedisError) {
        for request in requests { request.fail(error(request.name)) }
    }

    func release() {
        for request in requests { request.release() }
    }
}
