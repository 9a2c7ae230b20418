package import FoundationEssentials
package import Postgres

/// How the records of a person are told.
package enum RecordFormat: String, Codable, Hashable, Sendable, CaseIterable {
    case jsonLines = "json_lines"
    case fhirR4 = "fhir_r4"
}

/// Tells what a service keeps of a person, a part at a time. It changes nothing, and a part can be asked for again.
package struct RecordExport: Sendable {
    private let sources: [RecordFormat: [RecordSource]]

    /// - Parameters:
    ///   - schema: the service's, whose tables are told in lines of JSON.
    ///   - besides: what the tables hold packed, told as more lines of JSON.
    ///   - resources: what is told as resources of FHIR.
    package init(postgres: Postgres, schema: String, besides: [RecordSource] = [], resources: [RecordSource] = []) {
        self.init([.jsonLines: [.tables(of: postgres, schema: schema)] + besides, .fhirR4: resources])
    }

    package init(_ sources: [RecordFormat: [RecordSource]]) { self.sources = sources }

    /// The part behind a place that the part before it has given; the first for `nil`.
    ///
    /// - Throws: `ExportError.noSuchPlace`, and what reading throws.
    package func part(of user: UUID, as format: RecordFormat, after place: String?) async throws -> RecordPage {
        var rest = (sources[format] ?? [])[...]
        var within: String?
        if let place {
            let parts = place.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
            rest = rest.drop { $0.name != parts[0] }
            guard !rest.isEmpty, parts.count == 2 else { throw ExportError.noSuchPlace }
            within = parts[1].isEmpty ? nil : String(parts[1])
        }
        while let source = rest.first {
            var page = try await source.page(user, within)
            if let next = page.next {
                page.next = "\(source.name) \(next)"
                return page
            }
            rest = rest.dropFirst()
            within = nil
            guard page.content.isEmpty else {
                page.next = rest.first.map { "\($0.name) " }
                return page
            }
        }
        return RecordPage()
    }
}
