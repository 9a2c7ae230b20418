internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// Whether a claim holds. The raw value is what the table holds.
enum Verdict: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
    case supported, contradicted, unsupported, unclear

    /// Whether it says something that only a source can say.
    var needsSource: Bool { self == .supported || self == .contradicted }
}

/// What a verdict rests on: a passage of a collection, or something outside.
struct VerificationSource: Hashable, Sendable, Codable {
    var collection: String?
    var document: String?
    var uri: String?
    var quote: String?
}

/// Whether something that was said holds, and by what.
struct Verification: Hashable, Sendable {
    let id: UUID
    let message: UUID
    /// Of the message's content as it was verified.
    let contentSHA256: [UInt8]
    let claim: String
    let verdict: Verdict
    let confidence: Share
    let sources: [VerificationSource]
    let explanation: String
    let verifier: String
    let verifiedAt: Instant
}
