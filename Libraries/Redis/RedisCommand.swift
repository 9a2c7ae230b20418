/// A command and its arguments, written as a list: `["SET", key, bytes, "PX", 5000]`.
///
/// Arguments are lengths and bytes on the wire, so nothing in them needs escaping, whatever they hold.
package struct RedisCommand: Sendable, Hashable, ExpressibleByArrayLiteral {
    /// All arguments, one after the other, and where each one ends: two allocations for a command of any length.
    private(set) var bytes: [UInt8] = []
    private(set) var ends: [Int] = []

    package init(arrayLiteral elements: any RedisArgument...) {
        self.init(elements)
    }

    package init(_ arguments: [any RedisArgument]) {
        ends.reserveCapacity(arguments.count)
        for argument in arguments { append(argument) }
    }

    package mutating func append(_ argument: some RedisArgument) {
        argument.write(to: &bytes)
        ends.append(bytes.count)
    }

    /// The first argument in capitals, for errors and logs. The others may be somebody's data.
    package var name: String {
        guard let end = ends.first else { return "" }
        return String(decoding: bytes[..<end].prefix(32), as: UTF8.self).uppercased()
    }
}

/// What can stand in a command.
package protocol RedisArgument: Sendable {
    func write(to bytes: inout [UInt8])
}

extension String: RedisArgument {
    package func write(to bytes: inout [UInt8]) { bytes.append(contentsOf: utf8) }
}

extension Substring: RedisArgument {
    package func write(to bytes: inout [UInt8]) { bytes.append(contentsOf: utf8) }
}

extension [UInt8]: RedisArgument {
    package func write(to bytes: inout [UInt8]) { bytes.append(contentsOf: self) }
}

extension Int: RedisArgument {
    package func write(to bytes: inout [UInt8]) { bytes.append(contentsOf: String(self).utf8) }
}

extension Int64: RedisArgument {
    package func write(to bytes: inout [UInt8]) { bytes.append(contentsOf: String(self).utf8) }
}

extension RedisCommand {
    /// Commands that change a connection's state or hold it: on a connection that many tasks share they would change
    /// or stop the others' commands. `Redis.transaction` is the way to MULTI; subscriptions and blocking reads need a
    /// connection of their own.
    private static let unshareable: Set<String> = [
        "AUTH", "BLMOVE", "BLMPOP", "BLPOP", "BRPOP", "BRPOPLPUSH", "BZMPOP", "BZPOPMAX", "BZPOPMIN", "DISCARD", "EXEC",
        "HELLO", "MONITOR", "MULTI", "PSUBSCRIBE", "PSYNC", "PUNSUBSCRIBE", "QUIT", "RESET", "SELECT", "SSUBSCRIBE",
        "SUBSCRIBE", "SUNSUBSCRIBE", "SYNC", "UNSUBSCRIBE", "UNWATCH", "WAIT", "WATCH",
    ]

    var canShareConnection: Bool { !Self.unshareable.contains(name) }
}
