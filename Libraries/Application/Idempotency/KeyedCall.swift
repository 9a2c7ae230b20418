internal import Crypto
package import FoundationEssentials
internal import RPC

/// A call with an idempotency-key, as it is known by. Neither the key nor the request can be told from it.
package struct KeyedCall: Hashable, Sendable {
    /// Whose records are meant, and so whose the kept answer is.
    package let person: UUID
    /// SHA-256 of who calls which method with which key.
    package let id: [UInt8]
    /// SHA-256 of what is asked.
    package let request: [UInt8]

    package init(person: UUID, id: [UInt8], request: [UInt8]) {
        self.person = person
        self.id = id
        self.request = request
    }

    init(_ key: IdempotencyKey, of caller: CallerIdentity, to method: MethodDescriptor, asking request: [UInt8]) {
        // Who runs the system changes the record of whom the request names, and what is answered then goes when that person does.
        let named = method.policy.audit == .write ? NamedFields.byPath[method.path]?.read(request).person : nil
        person = named ?? caller.userID
        var digest = SHA256()
        // Neither an id nor a path has a line end in it.
        digest.update(data: Array("\(caller.actorID.uuidString)\n\(method.path)\n\(key.text)".utf8))
        id = Array(digest.finalize())
        self.request = Array(SHA256.hash(data: request))
    }

    /// Which of PostgreSQL's advisory locks a call with the same key waits for.
    var lock: Int64 { Int64(bitPattern: id.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }) }
}
