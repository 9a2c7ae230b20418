internal import Foundation

/// A hash as it is stored, a PHC string: `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<tag>`, base64 without padding.
///
/// The parameters travel in the string, so they can be raised later while the old hashes stay valid.
struct PasswordHash: Sendable, Hashable {
    var parameters: Argon2Parameters
    var salt: [UInt8]
    var tag: [UInt8]

    /// Argon2 version 1.3 (RFC 9106); the older 1.0 is refused.
    static let version = 19
    /// RFC 9106, section 3.1: 16 bytes of salt are recommended; a tag of 32 bytes is 256 bits.
    static let saltBytes = 16
    static let tagBytes = 32
    /// A longer text is no hash of ours; the limit bounds what parsing may cost.
    static let maxEncodedBytes = 512

    init(parameters: Argon2Parameters, salt: [UInt8], tag: [UInt8]) {
        self.parameters = parameters
        self.salt = salt
        self.tag = tag
    }

    /// Reads a stored hash; its parameters are within `Argon2Parameters.ceiling` afterwards.
    init(parsing text: String) throws(PasswordsError) {
        guard text.utf8.count <= Self.maxEncodedBytes else { throw .malformedHash("it is too long") }
        let fields = text.split(separator: "$", omittingEmptySubsequences: false)
        guard fields.count == 6, fields[0].isEmpty, fields[1] == "argon2id" else {
            throw .malformedHash("it is not an Argon2id hash")
        }
        guard fields[2] == "v=\(Self.version)" else { throw .malformedHash("its Argon2 version is not 1.3") }
        guard let parameters = Self.parameters(in: fields[3]) else {
            throw .malformedHash("its parameters cannot be read")
        }
        guard parameters.areUsable else { throw .malformedHash("its parameters are outside the allowed range") }
        guard let salt = Self.decode(fields[4]), let tag = Self.decode(fields[5]),
            (8...64).contains(salt.count), (16...64).contains(tag.count)
        else { throw .malformedHash("its salt or tag cannot be read") }
        self.init(parameters: parameters, salt: salt, tag: tag)
    }

    var encoded: String {
        "$argon2id$v=\(Self.version)$m=\(parameters.memoryKiB),t=\(parameters.iterations),p=\(parameters.parallelism)"
            + "$\(Self.encode(salt))$\(Self.encode(tag))"
    }

    /// The three numbers in the order that the PHC format fixes.
    private static func parameters(in field: Substring) -> Argon2Parameters? {
        let parts = field.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count == 3,
            let memory = number(parts[0], named: "m="),
            let iterations = number(parts[1], named: "t="),
            let parallelism = number(parts[2], named: "p=")
        else { return nil }
        return Argon2Parameters(memoryKiB: memory, iterations: iterations, parallelism: parallelism)
    }

    private static func number(_ part: Substring, named name: String) -> UInt32? {
        guard part.hasPrefix(name) else { return nil }
        return UInt32(part.dropFirst(name.count))
    }

    private static func encode(_ bytes: [UInt8]) -> String {
        String(Data(bytes).base64EncodedString().prefix { $0 != "=" })
    }

    private static func decode(_ text: Substring) -> [UInt8]? {
        let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        return Data(base64Encoded: text + padding).map { [UInt8]($0) }
    }
}
