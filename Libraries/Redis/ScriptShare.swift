internal import NIOCore

/// What one caller wants of a script that answers for many: its keys and its arguments.
struct ScriptShare {
    /// Those of one kind can share a run.
    struct Kind: Hashable {
        let sha1: String
        let keyCount: Int
        let argumentCount: Int
    }

    let kind: Kind
    private var keys = RESPArguments()
    private var arguments = RESPArguments()

    init(of script: RedisScript, keys: [String], arguments: [any RedisArgument]) {
        kind = Kind(sha1: script.sha1, keyCount: keys.count, argumentCount: arguments.count)
        self.keys.reserveCapacity(keys.count)
        for key in keys { key.write(to: &self.keys) }
        self.arguments.reserveCapacity(arguments.count)
        for argument in arguments { argument.write(to: &self.arguments) }
    }

    /// Bytes on the wire, its part of the command's head left out.
    var byteCount: Int { keys.byteCount + arguments.byteCount }

    /// Writes one `EVALSHA` for shares of one kind.
    static func write(_ shares: [ScriptShare], to buffer: inout ByteBuffer) {
        let kind = shares[0].kind
        var command = RESPArguments()
        command.reserveCapacity(3 + shares.count * (kind.keyCount + kind.argumentCount))
        command.append("EVALSHA".utf8)
        command.append(kind.sha1.utf8)
        (shares.count * kind.keyCount).write(to: &command)
        for share in shares { command.append(contentsOf: share.keys) }
        for share in shares { command.append(contentsOf: share.arguments) }
        command.write(to: &buffer)
    }
}
