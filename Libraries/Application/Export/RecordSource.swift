package import FoundationEssentials

/// Some of what is kept of a person, in lines that are told one after the other.
package struct RecordPage: Hashable, Sendable {
    /// Whole lines, each with its end.
    package var content: [UInt8]
    /// By type, how many records are in them.
    package var counts: [String: Int64]
    /// Where the next page begins; `nil` when this was the last.
    package var next: String?

    package init(content: [UInt8] = [], counts: [String: Int64] = [:], next: String? = nil) {
        self.content = content
        self.counts = counts
        self.next = next
    }
}

/// Where a service has some of what it keeps of a person. It is read a page at a time, in an order that no change of the rows changes: what was there
/// before the first page, and is there at the last, comes once.
package struct RecordSource: Sendable {
    /// Names the source in the places of an export.
    package let name: String
    /// The page behind a place that the page before it has given; the first for `nil`. It reads as the person and nobody else.
    package let page: @Sendable (_ user: UUID, _ place: String?) async throws -> RecordPage

    package init(_ name: String, page: @escaping @Sendable (_ user: UUID, _ place: String?) async throws -> RecordPage) {
        self.name = name
        self.page = page
    }
}
