internal import NIOCore

/// What one caller wants of a script that answers for many: its key and its arguments.
struct ScriptShare {
    /// Those of one kind can share a run.
    struct Kind: Hashable {
        let sha1: String
        let argumentCount: Int
    }

    let kind: Kind
    private var key = RESPArguments()
    private var arguments = RESPArguments()

    init(of script: RedisScript, key: String, arguments: [any RedisArgument]) {
        kind = Kind(sha1: script.sha1, argumentCount: arguments.count)
        key.write(to: &self.key)
        self.arguments.reserveCapacity(arguments.count)
        for argument in arguments { argument.write(to: &self.arguments) }
    }

    /// Bytes on the wire, its part of the command's head left out.
    var byteCount: Int { key.byteCount + arguments.byteCount }

    /// Writes one `EVALSHA` for shares of one kind.
    static func write(_ shares: [ScriptShare], to buffer: inout ByteBuffer) {
        var command = RESPArguments()
        command.reserveCapacity(3 + shares.count * (1 + shares[0].kind.argumentCount))
        command.append("EVALSHA".utf8)
        command.append(shares[0].kind.sha1.utf8)
        shares.count.write(to: &command)
        for share in shares { command.append(contentsOf: share.key) }
        for share in shares { command.append(contentsOf: share.arguments) }
        command.write(to: &buffer)
    }
}
