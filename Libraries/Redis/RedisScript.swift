internal import Crypto
internal import Time

/// A Lua script, which Redis runs as one step that nothing interrupts.
///
/// Every key that it touches has to be passed as a key, so that it would also run on a cluster.
package struct RedisScript: Sendable, Hashable {
    package let source: String
    /// What `EVALSHA` calls it.
    package let sha1: String

    package init(_ source: String) {
        self.source = source
        sha1 = Insecure.SHA1.hash(data: Array(source.utf8)).hexadecimal
    }

    /// A script for callers that share a run: `source` defines the Lua function `answer`, which takes a share's keys and its arguments,
    /// as text, and returns what its caller is told. An error of one share (a key of another type) is the answer to that share alone.
    package init(answering keys: Int, arguments: Int, _ source: String) {
        self.init(
            """
            \(source)
            local answers = {}
            for i = 0, #KEYS / \(keys) - 1 do
                local isDone, told = pcall(
                    answer, \((1...keys).map { "KEYS[\(keys) * i + \($0)]" }.joined(separator: ", ")),
                    unpack(ARGV, \(arguments) * i + 1, \(arguments) * i + \(arguments)))
                answers[i + 1] = isDone and told or type(told) == 'table' and told or {err = 'ERR ' .. tostring(told)}
            end
            return answers
            """)
    }
}
