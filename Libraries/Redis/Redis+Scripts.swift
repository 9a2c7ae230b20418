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
        var answer = try await submit(ScriptShare(of: script, key: key, arguments: arguments)).answer().get()[0]
        if teachingIt, case .error(let error) = answer, error.code == "NOSCRIPT" {
            let parameters: [any RedisArgument] = ["EVAL", script.source, 1, key] + arguments
            answer = try await send(RedisCommand(parameters)).array?.first ?? .null
        }
        if case .error(let error) = answer { throw .server(error, command: "EVALSHA") }
        return answer
    }
}
