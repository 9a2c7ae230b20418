package import FoundationEssentials

/// Names what is kept: whose it is, and under which rules it was seen, stand in the name itself. So an answer that one person
/// may see is never found by another, nor by anybody after the rules have changed.
package struct CacheKey: Sendable, Hashable {
    /// As it stands in Redis.
    package let text: String

    /// What everybody sees alike.
    package static func shared(_ name: String) -> CacheKey {
        CacheKey(text: "shared:\(name)")
    }

    /// What one person sees.
    ///
    /// - Parameters:
    ///   - reader: who asks, which need not be the person whom it is about; that one belongs into the name.
    ///   - policyVersion: of the rules by which it was decided what the reader may see.
    ///   - consentEpoch: changes with every consent that is given or revoked.
    package static func personal(
        _ name: String, seenBy reader: UUID, policyVersion: Int = 1, consentEpoch: Int = 0
    ) -> CacheKey {
        CacheKey(text: "person:\(reader.uuidString):\(policyVersion):\(consentEpoch):\(name)")
    }
}
