internal import Time

/// The commands that are used often, with typed answers. Everything else goes through `send`.
extension Redis {
    /// Asks for a sign of life. Throws `.evictingServer` or `.authenticationFailed` while the server is refused.
    package func ping() async throws(RedisError) {
        try await send(["PING"])
    }

    /// The bytes of a key; nil if there is none.
    nonisolated(nonsending) package func get(_ key: String) async throws(RedisError) -> [UInt8]? {
        switch try await send(["GET", key]) {
        case .bytes(let bytes): return bytes
        case .null: return nil
        default: throw .unexpectedReply(to: "GET")
        }
    }

    /// Sets a key, which then lives for `expiry` or, without one, until it is deleted.
    ///
    /// Returns whether it was set: always, unless `onlyIfAbsent` and the key was there.
    @discardableResult
    nonisolated(nonsending) package func set(
        _ key: String, to value: some RedisArgument, expiry: Duration? = nil, onlyIfAbsent: Bool = false
    ) async throws(RedisError) -> Bool {
        var command: RedisCommand = ["SET", key]
        command.append(value)
        if let expiry {
            command.append("PX")
            command.append(expiry.millisecondsForRedis)
        }
        if onlyIfAbsent { command.append("NX") }
        switch try await send(command) {
        case .status: return true
        case .null: return false
        default: throw .unexpectedReply(to: "SET")
        }
    }

    /// Deletes keys and returns how many there were.
    @discardableResult
    package func delete(_ keys: String...) async throws(RedisError) -> Int {
        try await integer(RedisCommand(["DEL"] + keys))
    }

    /// How many of these keys there are.
    package func exists(_ keys: [String]) async throws(RedisError) -> Int {
        guard !keys.isEmpty else { return 0 }
        return try await integer(RedisCommand(["EXISTS"] + keys))
    }

    /// Adds to a counter, which begins at zero, and returns its new value.
    package func increment(_ key: String, by amount: Int = 1) async throws(RedisError) -> Int {
        try await integer(["INCRBY", key, amount])
    }

    /// Lets a key live for this long from now. Returns whether there is such a key.
    @discardableResult
    package func expire(_ key: String, after duration: Duration) async throws(RedisError) -> Bool {
        try await integer(["PEXPIRE", key, duration.millisecondsForRedis]) == 1
    }

    /// Sends a command whose reply is a number.
    nonisolated(nonsending) package func integer(_ command: RedisCommand) async throws(RedisError) -> Int {
        guard let value = try await send(command).integer else { throw .unexpectedReply(to: command.name) }
        return Int(value)
    }
}

extension Duration {
    /// Milliseconds as Redis takes them for a key's life: one at least, and no more than it can add to its clock.
    package var millisecondsForRedis: Int {
        // Ten thousand years.
        Int(min(max(1, millisecondsRoundedUp), 315_360_000_000_000))
    }
}
