internal import Foundation

/// Hashes and checks passwords with Argon2id, on threads of its own.
///
/// A check costs the same whether the account exists or not, provided the caller uses `verifyAgainstNothing` for one
/// that does not. The queue in front of the threads is bounded: a burst of logins is refused with `.busy` rather than
/// left to pile up. A cancelled caller leaves the queue; a hash that is being computed is finished.
///
/// Costs one thread tens of milliseconds and 19 MiB a hash with the default parameters.
package final class Passwords: Sendable {
    /// Longer ones are refused before any work: nobody types more, and hashing input has a cost.
    package static let maxPasswordBytes = 1024

    package let parameters: Argon2Parameters
    private let threads: HashingThreads
    /// A hash that no password has, with today's parameters.
    private let nothing: PasswordHash

    /// - Parameters:
    ///   - threads: how many hashes may be computed at once; each holds `parameters.memoryKiB` meanwhile.
    ///   - maxQueued: how many callers may wait beside those. At 40 ms a hash and two threads, the last of 64 waits 1.3 s.
    package init(parameters: Argon2Parameters = .owasp, threads: Int = 2, maxQueued: Int = 64) {
        precondition(parameters.areUsable, "the Argon2 parameters are outside the range that RFC 9106 and we allow")
        self.parameters = parameters
        self.threads = HashingThreads(threads: threads, maxQueued: maxQueued)
        // 256 random bits: finding a password with this tag is as hard as guessing a key.
        nothing = PasswordHash(
            parameters: parameters, salt: .random(count: PasswordHash.saltBytes),
            tag: .random(count: PasswordHash.tagBytes))
    }

    /// A new hash of a password under a random salt, as a PHC string that `verify` and other Argon2 programs read.
    package func hash(_ password: String) async throws(PasswordsError) -> String {
        let bytes = try Self.bytes(of: password)
        let parameters = parameters
        return try await onThreads { () throws(PasswordsError) in
            let salt = [UInt8].random(count: PasswordHash.saltBytes)
            let tag = try Argon2.tag(of: bytes, salt: salt, parameters: parameters)
            return PasswordHash(parameters: parameters, salt: salt, tag: tag).encoded
        }
    }

    /// Whether the stored hash is this password's. Throws `.malformedHash` if the stored text is no usable hash.
    package func verify(_ password: String, against stored: String) async throws(PasswordsError) -> Bool {
        let bytes = try Self.bytes(of: password)
        let hash = try PasswordHash(parsing: stored)
        return try await onThreads { () throws(PasswordsError) in try Argon2.matches(bytes, hash) }
    }

    /// The work of `verify` for an account that does not exist, so that the answer's time does not tell. Always false.
    ///
    /// Accounts whose hash has older parameters still differ; `needsRehash` is there to make them few.
    @discardableResult
    package func verifyAgainstNothing(_ password: String) async throws(PasswordsError) -> Bool {
        let bytes = try Self.bytes(of: password)
        let nothing = nothing
        _ = try await onThreads { () throws(PasswordsError) in try Argon2.matches(bytes, nothing) }
        return false
    }

    /// Whether a stored hash was made with other parameters than today's (or is no hash), so that the next successful
    /// login should store a new one.
    package func needsRehash(_ stored: String) -> Bool {
        // Unreadable means the same to the caller as outdated: replace it at the next chance.
        guard let hash = try? PasswordHash(parsing: stored) else { return true }
        return hash.parameters != parameters || hash.salt.count < PasswordHash.saltBytes
            || hash.tag.count != PasswordHash.tagBytes
    }

    private func onThreads<Value: Sendable>(
        _ compute: @escaping @Sendable () throws(PasswordsError) -> Value
    ) async throws(PasswordsError) -> Value {
        let job = HashingJob(compute)
        guard threads.offer({ job.run() }) else { throw .busy }
        let answer = await withTaskCancellationHandler { await job.answer() } onCancel: { job.cancel() }
        return try answer.get()
    }

    /// The bytes to hash: UTF-8 of the canonical composition (NFC, as RFC 8265 asks of passwords), so that "é" typed
    /// as one character or as two is one password.
    private static func bytes(of password: String) throws(PasswordsError) -> [UInt8] {
        guard password.utf8.count <= maxPasswordBytes else { throw .tooLong }
        let bytes = [UInt8](password.precomposedStringWithCanonicalMapping.utf8)
        guard bytes.count <= maxPasswordBytes else { throw .tooLong }
        return bytes
    }
}

extension [UInt8] {
    /// Bytes of the system's cryptographic generator (`getrandom`, through `SystemRandomNumberGenerator`).
    fileprivate static func random(count: Int) -> [UInt8] {
        (0..<count).map { _ in .random(in: .min ... .max) }
    }
}
