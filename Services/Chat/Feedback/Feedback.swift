internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// What a person thinks of a conversation, or of one message of it.
struct Opinion: Hashable, Sendable {
    /// What it holds. The raw value is what the table holds.
    enum Kind: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case thumbs, rating, correction, report
    }

    let kind: Kind
    let rating: Int16?
    let comment: String?
    let correction: String?
}

/// An opinion that is to be kept.
struct NewFeedback: Hashable, Sendable {
    let clientID: ClientID
    let session: SessionID
    let message: UUID?
    let opinion: Opinion
}

/// An opinion as it is kept.
struct Feedback: Hashable, Sendable {
    let id: UUID
    let session: SessionID
    let message: UUID?
    let opinion: Opinion
    let clientID: String
    let createdAt: Instant
    let updatedAt: Instant
}
