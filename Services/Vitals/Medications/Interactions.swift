internal import Application
internal import Postgres

/// Which drugs do not go together. Names are looked up whatever the case of their letters, and by the substance that is sold under them.
struct Interactions: Sendable {
    let postgres: Postgres

    /// Every pair among these names, each once and the worst first. The order of the names makes no difference.
    ///
    /// - Parameter subject: one more name. Only the pairs of this drug are told then, and it is called so, whatever the others call it.
    func among(_ names: [String], with subject: String? = nil) async throws(PostgresError) -> [NamedInteraction] {
        let names = names + (subject.map { [$0] } ?? [])
        let asked = names.map(Self.normal)
        let known = try await postgres.rows(.substances(of: asked))
        let substances = Dictionary(known.map { (ExactText($0.name), $0.substance) }) { first, _ in first }
        func substance(of asked: String) -> ExactText { ExactText(substances[ExactText(asked)] ?? asked) }
        // What is asked about twice, by whatever name, is one drug, and is called by the name that comes first in the alphabet.
        var called: [ExactText: String] = [:]
        for (name, asked) in zip(names, asked) {
            let drug = substance(of: asked)
            called[drug] = called[drug].map { min($0, name) } ?? name
        }
        let wanted = subject.map { substance(of: Self.normal($0)) }
        if let wanted, let subject { called[wanted] = subject }
        return try await postgres.rows(.among(called.keys.map(\.text).sorted())).compactMap { interaction in
            let drugs = interaction.drugs.map { ExactText($0) }
            guard wanted.map({ drugs.contains($0) }) ?? true, let one = called[drugs[0]], let other = called[drugs[1]] else { return nil }
            return NamedInteraction(first: min(one, other), second: max(one, other), interaction: interaction)
        }.sorted { left, right in
            left.interaction.severity == right.interaction.severity
                ? (left.first, left.second) < (right.first, right.second) : left.interaction.severity > right.interaction.severity
        }
    }

    private static func normal(_ name: String) -> String {
        let words = name.lowercased().split(whereSeparator: \.isWhitespace)
        return words.joined(separator: " ")
    }
}

/// An interaction of two drugs by the names that somebody asked about.
struct NamedInteraction: Hashable, Sendable {
    let first: String
    let second: String
    let interaction: DrugInteraction
}

extension DrugInteraction.Severity: Comparable {
    private static let order: [DrugInteraction.Severity] = [.minor, .moderate, .major, .contraindicated]

    static func < (left: DrugInteraction.Severity, right: DrugInteraction.Severity) -> Bool {
        order.firstIndex(of: left) ?? 0 < order.firstIndex(of: right) ?? 0
    }
}

/// A name that a drug is sold under.
struct DrugName: Hashable, Sendable, RowDecodable {
    let name: String
    let substance: String

    init(row: Row) throws(PostgresError) {
        name = try row.decode("name")
        substance = try row.decode("substance")
    }
}

extension Statement<DrugName> {
    static func substances(of names: [String]) -> Self {
        .reading("SELECT name, substance FROM vitals.drug_names WHERE name = ANY(\(names))", mayLag: true)
    }
}
