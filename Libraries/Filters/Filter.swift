/// A condition on metadata: what one entry must be, or several conditions joined.
///
/// Every condition is true or false of every document. One on a key that a document lacks, or has with a value of another
/// type, is false; `noneOf` it is then true.
package enum Filter: Hashable, Sendable {
    /// True when all are; so also without any.
    case allOf([Filter])
    case anyOf([Filter])
    case noneOf([Filter])
    case equals(String, MetadataValue)
    case among(String, [MetadataValue])
    case range(String, ValueRange)
    case exists(String)

    /// Whether entries fulfil the condition. What `FilterIndex` finds is what this is true of.
    package func passes(_ entries: [String: MetadataValue]) -> Bool {
        switch self {
        case .allOf(let filters): filters.allSatisfy { $0.passes(entries) }
        case .anyOf(let filters): filters.contains { $0.passes(entries) }
        case .noneOf(let filters): !filters.contains { $0.passes(entries) }
        case .equals(let key, let value): entries[key] == value
        case .among(let key, let values): entries[key].map(values.contains) ?? false
        case .range(let key, let range): entries[key].map(range.contains) ?? false
        case .exists(let key): entries[key] != nil
        }
    }
}
