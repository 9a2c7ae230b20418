internal import Application
internal import Time

/// What a person can consent to. The raw value is what the table holds.
enum ConsentKind: String, CaseIterable, Sendable {
    case healthData = "health_data"
    case aiAnalysis = "ai_analysis"
    case research
    /// That others who treat the person see their records. Every grant of access ends with it.
    case careSharing = "care_sharing"
    case marketing
}

/// One consent as it stands.
struct Consent: Equatable, Sendable {
    let kind: ConsentKind
    let isGranted: Bool
    let documentVersion: String
    let grantedAt: Instant
    /// When it was last withdrawn; `nil` while it is granted.
    let withdrawnAt: Instant?
    /// Grows by one each time it is given or withdrawn, so that whatever was made under an older consent can be told.
    let epoch: Int64
}

/// Names the text that a person agreed to, such as `2026-02` or `privacy-3.1`.
struct DocumentVersion: Hashable, Sendable {
    let text: String

    static let maxBytes = 64

    init(_ given: String) throws(InvalidValue) {
        guard !given.isEmpty else { throw InvalidValue("is needed") }
        guard given.utf8.count <= Self.maxBytes, given.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw InvalidValue("must be \(Self.maxBytes) printable ASCII characters at most, without spaces")
        }
        text = given
    }
}
