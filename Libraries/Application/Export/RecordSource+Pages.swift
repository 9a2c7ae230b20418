package import FoundationEssentials
internal import Time

extension RecordSource {
    /// Records that have ids, in the order of these.
    ///
    /// - Parameters:
    ///   - type: what each counts as.
    ///   - count: how many a page has. So many lines have to fit into one message.
    ///   - read: lines, without their ends, of at most as many records as asked for, behind the one with the id `last`.
    package static func resources(
        _ name: String, type: String, by count: Int = 500,
        _ read: @escaping @Sendable (_ user: UUID, _ last: UUID?, _ limit: Int) async throws -> [(id: UUID, entry: [UInt8])]
    ) -> RecordSource {
        RecordSource(name) { user, place in
            let last = try place.map { text throws(ExportError) in
                guard let id = UUID(uuidString: text) else { throw .noSuchPlace }
                return id
            }
            let found = try await read(user, last, count)
            guard let end = found.last else { return RecordPage() }
            var page = RecordPage(counts: [type: Int64(found.count)], next: found.count < count ? nil : end.id.text)
            // Another entry follows each: the last of a Bundle says what is in it.
            for each in found { page.content += each.entry + Array(",\n".utf8) }
            return page
        }
    }
}
