internal import Crypto
package import FoundationEssentials
internal import Time

/// What a client shows to get a new access token: `hgr_` and the base64url of the user's id and 32 random bytes.
///
/// It means nothing by itself; the users service stores its digest and knows what it stands for. The user's id is in
/// it so that the row can be looked up under that user's identity. The prefix lets scanners find leaked ones.
package struct RefreshToken: Sendable, Hashable {
    package static let prefix = "hgr_"
    private static let secretBytes = 32

    package let userID: UUID
    private let secret: [UInt8]

    /// A new token, from the system's cryptographic generator.
    package init(userID: UUID) {
        self.userID = userID
        secret = (0..<Self.secretBytes).map { _ in .random(in: .min ... .max) }
    }

    /// Reads what a client sent. Says nothing about whether it is valid.
    package init(parsing text: String) throws(TokenError) {
        // 48 bytes are exactly 64 characters, so there is one way to write each token.
        guard text.hasPrefix(Self.prefix), text.utf8.count == Self.prefix.utf8.count + 64,
            let bytes = Base64URL.decode(text.dropFirst(Self.prefix.count))
        else { throw TokenError(.malformed, "The refresh token cannot be read.") }
        userID = UUID(bytes: bytes.prefix(16))
        secret = [UInt8](bytes.dropFirst(16))
    }

    /// The token as it goes to the client, and nowhere else.
    package var text: String { Self.prefix + Base64URL.encode(userID.bytes + secret) }

    /// SHA-256 of `text`: what is stored. With 256 random bits inside, a plain hash cannot be guessed backwards.
    package var digest: [UInt8] { [UInt8](SHA256.hash(data: Data(text.utf8))) }
}

extension RefreshToken: CustomStringConvertible, CustomReflectable {
    /// The user, never the secret.
    package var description: String { "refresh token of \(userID.text)" }
    package var customMirror: Mirror { Mirror(self, children: ["userID": userID]) }
}

extension UUID {
    fileprivate var bytes: [UInt8] {
        let b = uuid
        return [
            b.0, b.1, b.2, b.3, b.4, b.5, b.6, b.7, b.8, b.9, b.10, b.11, b.12, b.13, b.14, b.15,
        ]
    }

    fileprivate init(bytes: ArraySlice<UInt8>) {
        let b = Array(bytes)
        self.init(
            uuid: (
                b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]
            ))
    }
}
