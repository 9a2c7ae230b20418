/// Running scripts.
extension Redis {
    /// Runs a script by its hash. A server that does not know it, because it has been restarted or flushed, gets the
    /// source once.
    nonisolated(nonsending) package func evaluate(
        _ script: RedisScript, keys: [String], arguments: [any RedisArgument] = []
    ) async throws(RedisError) -> RESPValue {
        let parameters: [any RedisArgument] = [keys.count] + keys + arguments
        do throws(RedisError) {
            return try await send(RedisCommand(["EVALSHA", script.sha1] + parameters))
        } catch {
            guard error.code == .server("NOSCRIPT") else { throw error }
            return try await send(RedisCommand(["EVAL", script.source] + parameters))
        }
    }

    /// Runs a script for one key, in one run with those for other keys that wait at the same moment: many callers cost
    /// little more than one.
    ///
    /// The script finds a number of keys, and for each as many arguments as were given here, one key's behind the other's
    /// (`ARGV[(i - 1) * n + 1]` and on belong to `KEYS[i]`). It returns an array with an answer for each. Where one key
    /// must not spoil the others' run it catches that key's error (`pcall`) and returns it as its answer.
    ///
    /// - Parameter teachingIt: whether a server that does not know the script gets its source; else its NOSCRIPT is thrown.
    /// - Throws: also what the script answered with an error for this key.
    nonisolated(nonsending) package func evaluate(
        sharing script: RedisScript, key: String, arguments: [any RedisArgument], teachingIt: Bool = true
    ) async throws(RedisError) -> RESPValue {
        try await answer(submit(ScriptShare(of: script, keys: [key], arguments: arguments))) {
            teachingIt ? RedisCommand(["EVAL", script.source, 1, key] + arguments) : nil
        }
    }

    /// What one run of a script is asked to do for one caller.
    package typealias Share = (keys: [String], arguments: [any RedisArgument])

    /// As for one key, for several shares of as many keys and arguments each, at once; also for a task that has been cancelled, and until the
    /// answers have come.
    nonisolated(nonsending) package func finish(
        sharing script: RedisScript, _ shares: [Share]
    ) async throws(RedisError) -> [RESPValue] {
        var requests: [RedisRequest] = []
        for share in shares {
            requests.append(try submit(ScriptShare(of: script, keys: share.keys, arguments: share.arguments), isCancellable: false))
        }
        var answers: [RESPValue] = []
        for (request, share) in zip(requests, shares) {
            answers.append(
                try await answer(request, isCancellable: false) {
                    RedisCommand(["EVAL", script.source, share.keys.count] + share.keys + share.arguments)
                })
        }
        return answers
    }

    /// The answer to one share; by the script's source where the server does not know its hash.
    nonisolated(nonsending) private func answer(
        _ request: RedisRequest, isCancellable: Bool = true, _ source: () -> RedisCommand?
    ) async throws(RedisError) -> RESPValue {
        var answer = try await request.answer(isCancellable: isCancellable).get()[0]
        if case .error(let error) = answer, error.code == "NOSCRIPT", let source = source() {
            let taught = try await submit([source], isCancellable: isCancellable).answer(isCancellable: isCancellable).get()[0]
            answer = if case .array(let answers) = taught { answers.first ?? .null } else { taught }
        }
        if case .error(let error) = answer { throw .server(error, command: "EVALSHA") }
        return answer
    }
}
