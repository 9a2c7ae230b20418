internal import Application
internal import Postgres

/// Which drugs do not go together. Names are looked up whatever the case of their letters, by the substance that is sold under them, and by its classes.
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
        return try await best(of: called.keys.map(\.text).sorted()).compactMap { pair, interaction in
            let names = pair.compactMap { called[$0] }.sorted()
            guard wanted.map({ pair.contains($0) }) ?? true, names.count == 2 else { return nil }
            return NamedInteraction(first: names[0], second: names[1], interaction: interaction)
        }.sorted { left, right in
            left.interaction.severity == right.interaction.severity
                ? (left.first, left.second) < (right.first, right.second) : left.interaction.severity > right.interaction.severity
        }
    }

    /// For each two of these drugs that do not go together what says most of them: what is known of the two, before what is known of one and the class
    /// of the other, before what is known of their classes; of several the worst.
    private func best(of drugs: [String]) async throws(PostgresError) -> [Set<ExactText>: DrugInteraction] {
        // The drugs that a name in an interaction stands for.
        var meant: [ExactText: Set<ExactText>] = [:]
        for drug in drugs { meant[ExactText(drug)] = [ExactText(drug)] }
        for one in try await postgres.rows(.classes(of: drugs)) { meant[ExactText(one.name), default: []].insert(ExactText(one.substance)) }
        var best: [Set<ExactText>: DrugInteraction] = [:]
        for interaction in try await postgres.rows(.among(meant.keys.map(\.text).sorted())) {
            for one in meant[ExactText(interaction.drugs[0])] ?? [] {
                for other in meant[ExactText(interaction.drugs[1])] ?? [] where one != other {
                    let pair: Set<ExactText> = [one, other]
                    if let known = best[pair], !interaction.says(moreThan: known, of: pair) { continue }
                    best[pair] = interaction
                }
            }
        }
        return best
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

extension DrugInteraction {
    fileprivate func says(moreThan other: DrugInteraction, of pair: Set<ExactText>) -> Bool {
        let (named, others) = (pair.intersection(drugs.map { ExactText($0) }).count, pair.intersection(other.drugs.map { ExactText($0) }).count)
        return named == others ? severity > other.severity : named > others
    }
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

/// A class that a substance is of.
struct DrugClass: Hashable, Sendable, RowDecodable {
    let substance: String
    let name: String

    init(row: Row) throws(PostgresError) {
        substance = try row.decode("substance")
        name = try row.decode("class")
    }
}

extension Statement<DrugClass> {
    static func classes(of substances: [String]) -> Self {
        .reading("SELECT substance, class FROM vitals.drug_classes WHERE substance = ANY(\(substances))", mayLag: true)
    }
}

extension Statement<DrugName> {
    static func substances(of names: [String]) -> Self {
        .reading("SELECT name, substance FROM vitals.drug_names WHERE name = ANY(\(names))", mayLag: true)
    }
}
