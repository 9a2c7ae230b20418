internal import Application
internal import FoundationEssentials
internal import Time
internal import Tokens

/// What was removed where and when: the claims of a JSON Web Signature that is signed as access tokens are, and is none of them. It names nobody.
struct ErasureReceipt: Codable, Hashable, Sendable {
    /// What its header calls it.
    static let type = "heartguard-erasure+jwt"

    /// Who signed it.
    var iss: String
    /// The erasure's id.
    var jti: String
    /// When it had finished, in seconds since 1970 as RFC 7519 has it.
    var iat: Int64
    var requestedAt: Int64
    var requestedBy: String
    /// By service and table, how many rows were removed.
    var removed: [String: [String: Int64]]

    enum CodingKeys: String, CodingKey {
        case iss, jti, iat, removed
        case requestedAt = "requested_at"
        case requestedBy = "requested_by"
    }

    init(_ erasure: Erasure, finishedAt: Instant, issuer: String, removed: [String: [RemovedRows]]) {
        iss = issuer
        jti = erasure.id.text
        iat = finishedAt.microsecondsSinceEpoch / 1_000_000
        requestedAt = erasure.requestedAt.microsecondsSinceEpoch / 1_000_000
        requestedBy = erasure.requestedBy.rawValue
        self.removed = removed.mapValues { rows in
            Dictionary(uniqueKeysWithValues: rows.map { ($0.table, $0.count) })
        }
    }
}
