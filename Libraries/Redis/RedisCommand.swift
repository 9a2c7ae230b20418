internal import NIOCore

/// A command and its arguments, written as a list: `["SET", key, bytes, "PX", 5000]`.
///
/// Arguments are lengths and bytes on the wire, so nothing in them needs escaping, whatever they hold.
package struct RedisCommand: Sendable, Hashable, ExpressibleByArrayLiteral {
    /// The arguments as they go out: one allocation for a command of any length.
    private var wire = RESPArguments()

    package init(arrayLiteral elements: any RedisArgument...) {
        self.init(elements)
    }

    package init(_ arguments: [any RedisArgument]) {
        wire.reserveCapacity(arguments.count)
        for argument in arguments { append(argument) }
    }

    package mutating func append(_ argument: some RedisArgument) { argument.write(to: &wire) }

    var isEmpty: Bool { wire.count == 0 }

    /// Bytes on the wire.
    var byteCount: Int { wire.byteCount }

    func write(to buffer: inout ByteBuffer) { wire.write(to: &buffer) }

    /// The first argument in capitals, for errors and logs. The others may be somebody's data.
    package var name: String { String(decoding: wire.first.prefix(32), as: UTF8.self).uppercased() }
}

/// What can stand in a command.
package protocol RedisArgument: Sendable {
    func write(to arguments: inout RESPArguments)
}

extension String: RedisArgument {
    package func write(to arguments: inout RESPArguments) { arguments.append(utf8) }
}

extension Substring: RedisArgument {
    package func write(to arguments: inout RESPArguments) { arguments.append(utf8) }
}

extension [UInt8]: RedisArgument {
    package func write(to arguments: inout RESPArguments) { arguments.append(self) }
}

extension Int: RedisArgument {
    package func write(to arguments: inout RESPArguments) { arguments.append(String(self).utf8) }
}

extension Int64: RedisArgument {
    package func write(to arguments: inout RESPArguments) { arguments.append(String(self).utf8) }
}

extension RedisCommand {
    /// Commands that change a connection's state or hold it: on a connection that many tasks share they would change
    /// or stop the others' commands. `Redis.transaction` is the way to MULTI; subscriptions and blocking reads need a
    /// connection of their own.
    private static let unshareable = Set(
        [
            "AUTH", "BLMOVE", "BLMPOP", "BLPOP", "BRPOP", "BRPOPLPUSH", "BZMPOP", "BZPOPMAX", "BZPOPMIN", "DISCARD", "EXEC",
            "HELLO", "MONITOR", "MULTI", "PSUBSCRIBE", "PSYNC", "PUNSUBSCRIBE", "QUIT", "RESET", "SELECT", "SSUBSCRIBE",
            "SUBSCRIBE", "SUNSUBSCRIBE", "SYNC", "UNSUBSCRIBE", "UNWATCH", "WAIT", "WATCH",
        ].map { shortName($0.utf8) })

    var canShareConnection: Bool { !Self.unshareable.contains(Self.shortName(wire.first)) }

    /// Eight letters, whichever their case. They tell every command of Redis 7 from those above, and are looked up at every call.
    private static func shortName(_ name: some Collection<UInt8>) -> UInt64 {
        name.prefix(8).reduce(0) { $0 << 8 | UInt64($1 & 0b1101_1111) }
    }
}
