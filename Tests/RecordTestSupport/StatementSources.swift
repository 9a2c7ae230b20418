internal import Foundation
internal import Postgres
package import Testing

/// What the sources of a module say of its statements.
package struct StatementSources: Sendable {
    /// Where statements are made, as `Vitals/DeviceRepository.swift:62`.
    private var places: Set<String> = []
    /// Repositories whose statements are those that all tables of a person's rows share.
    private var repositories: Set<String> = []
    /// Where SQL stands that no statement is made of.
    private var loose: [String] = []

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// - Parameters:
    ///   - folder: of a module, from the package's root: `Services/Vitals`.
    ///   - part: a folder of it, where the rest is not used.
    package init(_ folder: String, part: String = "") throws {
        let module = Self.root.appending(path: folder)
        let place = part.isEmpty ? module : module.appending(path: part)
        let files = FileManager.default.enumerator(at: place, includingPropertiesForKeys: nil)?.allObjects ?? []
        for case let file as URL in files where file.pathExtension == "swift" {
            let text = try String(contentsOf: file, encoding: .utf8)
            read(text, of: "\(module.lastPathComponent)/\(file.lastPathComponent)")
        }
    }

    private mutating func read(_ text: String, of file: String) {
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.contains(/\.(reading|writing)\(/) { places.insert("\(file):\(number + 1)") }
            if let match = line.firstMatch(of: /struct (\w+): (?:Personal|Removable)Records\b/) {
                repositories.insert(String(match.1))
            }
        }
        for match in text.matches(of: /"\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH|MERGE|LOCK|COPY|CALL|TRUNCATE)\b/) {
            let before = text[..<match.startIndex].reversed().drop { $0 == "\"" || $0.isWhitespace }.prefix(9)
            if !["(gnidaer.", "(gnitirw."].contains(String(before)) {
                loose.append("\(file):\(text[..<match.startIndex].count { $0 == "\n" } + 1)")
            }
        }
    }

    /// Expects that a catalogue has every statement, and that there is no SQL besides.
    ///
    /// - Parameter shared: modules whose statements the service uses.
    package func expectComplete(
        _ catalogue: [CataloguedStatement], with shared: [StatementSources] = [], at place: SourceLocation = #_sourceLocation
    ) {
        let catalogued = Set(catalogue.map { "\($0.declaration.file):\($0.declaration.line)" })
        let declared = shared.reduce(places) { $0.union($1.places) }

        #expect(!places.isEmpty, sourceLocation: place)
        #expect(declared.subtracting(catalogued).sorted() == [], "missing in the catalogue", sourceLocation: place)
        #expect(catalogued.subtracting(declared).sorted() == [], "unknown to the sources", sourceLocation: place)
        #expect(repositories == Set(catalogue.compactMap(\.repository)), sourceLocation: place)
        #expect(loose == [], "SQL that is in no statement", sourceLocation: place)
    }
}
