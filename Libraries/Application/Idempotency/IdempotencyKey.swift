internal import Contracts
internal import RPC

/// What a caller gives a write to be known by when it is made again: the metadata `idempotency-key`, in the JSON door the header
/// (draft-ietf-httpapi-idempotency-key-header).
package struct IdempotencyKey: Hashable, Sendable {
    package static let field = "idempotency-key"
    /// The response metadata that says of an answer that it was given before.
    package static let replayed = "idempotent-replayed"
    /// google.rpc.ErrorInfo's reason for a key that was used for another request.
    package static let reused = IdempotencyError.idempotencyKeyReused.errorInfo.reason

    /// 1 to 255 visible ASCII characters.
    let text: String

    /// The key as a structured field's string, `"8e03978e-40d5"`, or as the bare text; both name the same.
    init?(_ value: String) {
        var text = Substring(value)
        if text.hasPrefix("\"") {
            guard text.count >= 2, text.hasSuffix("\""), let inner = Self.unescaped(text.dropFirst().dropLast()) else { return nil }
            text = inner
        }
        guard (1...255).contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
        self.text = String(text)
    }

    /// RFC 9651, section 4.2.5: only a quote and a backslash stand behind a backslash, and neither stands alone.
    private static func unescaped(_ text: Substring) -> Substring? {
        guard text.contains(where: { $0 == "\\" || $0 == "\"" }) else { return text }
        var plain = ""
        var isEscaped = false
        for character in text {
            switch (isEscaped, character) {
            case (true, "\""), (true, "\\"): plain.append(character)
            case (true, _), (false, "\""): return nil
            case (false, "\\"):
                isEscaped = true
                continue
            case (false, _): plain.append(character)
            }
            isEscaped = false
        }
        return isEscaped ? nil : Substring(plain)
    }
}

extension IdempotencyKey {
    /// The key of a call that may have changed something; `nil` for a call without one, and for calls that only read, which can be repeated
    /// as they are.
    ///
    /// - Throws: `IdempotencyError.keyIsMalformed`, and `.keyIsNotTaken` by a method of which nothing may be kept, or that is a stream.
    static func of(_ context: RPCContext) throws(IdempotencyError) -> IdempotencyKey? {
        let method = context.method
        guard let value = context.metadata[field], method.policy.idempotency != .noSideEffects else { return nil }
        if let reason = method.keepsNoAnswers { throw .keyIsNotTaken("\(method.name) takes none: \(reason)") }
        guard context.metadata.values(for: field).count == 1, let key = IdempotencyKey(value) else { throw .keyIsMalformed }
        return key
    }
}

extension MethodDescriptor {
    /// Why no answers of a method that changes something are kept, as its contract has it; `nil` where they are.
    var keepsNoAnswers: String? {
        if kind != .unary { return "it is a stream." }
        if policy.access == .anyone || policy.access == .service { return "nobody is signed in for it." }
        if policy.holdsSecrets { return "what it is asked or answers holds a secret, of which nothing is kept." }
        return nil
    }
}
