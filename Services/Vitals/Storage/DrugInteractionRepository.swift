internal import Postgres

/// What two drugs do to each other. Reference data; a pair is kept once.
struct DrugInteraction: Hashable, Sendable {
    enum Severity: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case minor, moderate, major, contraindicated
    }

    /// Lower case, the smaller by its bytes first.
    let drugs: [String]
    let severity: Severity
    let mechanism: String
    let effect: String
    let management: String
    let source: String

    init(_ one: String, _ other: String, _ severity: Severity, mechanism: String, effect: String, management: String, source: String) {
        drugs = [one.lowercased(), other.lowercased()].sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        self.severity = severity
        self.mechanism = mechanism
        self.effect = effect
        self.management = management
        self.source = source
    }
}

extension DrugInteraction: RowDecodable {
    /// The columns that the initialiser reads.
    static let columns: Query = "drug_a, drug_b, severity, mechanism, effect, management, source"

    init(row: Row) throws(PostgresError) {
        drugs = [try row.decode("drug_a"), try row.decode("drug_b")]
        severity = try row.decode("severity")
        mechanism = try row.decode("mechanism")
        effect = try row.decode("effect")
        management = try row.decode("management")
        source = try row.decode("source")
    }
}

/// The rows of `vitals.drug_interactions`, which belong to nobody.
struct DrugInteractionRepository: Sendable {
    let postgres: Postgres

    /// Adds a pair, or replaces what is known of it.
    func put(_ interaction: DrugInteraction) async throws(PostgresError) {
        try await postgres.execute(.put(interaction))
    }

    /// Every pair among these drugs, by name.
    func among(_ drugs: [String]) async throws(PostgresError) -> [DrugInteraction] {
        let names = drugs.map { $0.lowercased() }
        return try await postgres.rows(.among(names))
    }
}

extension Statement<Void> {
    static func put(_ interaction: DrugInteraction) -> Self {
        .writing(
            """
            INSERT INTO vitals.drug_interactions (\(DrugInteraction.columns))
            VALUES (\(interaction.drugs[0]), \(interaction.drugs[1]), \(interaction.severity), \(interaction.mechanism),
                    \(interaction.effect), \(interaction.management), \(interaction.source))
            ON CONFLICT (drug_a, drug_b) DO UPDATE
            SET severity = excluded.severity, mechanism = excluded.mechanism, effect = excluded.effect,
                management = excluded.management, source = excluded.source
            """)
    }
}

extension Statement<DrugInteraction> {
    static func among(_ names: [String]) -> Self {
        .reading(
            """
            SELECT \(DrugInteraction.columns) FROM vitals.drug_interactions
            WHERE drug_a = ANY(\(names)) AND drug_b = ANY(\(names)) ORDER BY drug_a, drug_b
            """,
            mayLag: true)
    }
}
