internal import Postgres
internal import Schema

/// A table of this cluster that has people's rows, as its exports describe it.
struct RestoredTable: RowDecodable {
    let name: String
    /// What a row may bring along.
    let columns: Set<String>
    /// Why its rows are left out, if they are.
    let reason: String?

    /// What no export tells and a row cannot be without, where the command has something to put in its place.
    static let supplied = ["users.users": "password_hash", "chat.session_archives": "content"]
    /// What says nothing without the rows of other tables that no export tells.
    private static let senseless = ["chat.checkpoint_threads", "chat.checkpoints"]

    init(row: Row) throws(PostgresError) {
        name = try row.decode("relation")
        columns = Set(try row.decode("columns", as: [String].self))
        let reason: String? = try row.decode("reason")
        self.reason = Self.senseless.contains(name) ? "says nothing without the working memory of agents, which no export tells" : reason
    }
}

extension Statement<RestoredTable> {
    /// Those of every service. Rows are left out of what exports leave out, and of what lacks a column that they leave out and a row has to have.
    static var restoredTables: Self {
        let supplied = RestoredTable.supplied.map { table, column in "\(table).\(column)" }
        return .reading(
            """
            SELECT s.service || '.' || t.relation AS relation,
                   CASE json_typeof(t.description -> 'columns') WHEN 'object' THEN ARRAY(SELECT json_object_keys(t.description -> 'columns'))
                                                                ELSE '{}' END AS columns,
                   coalesce(t.description -> 'left_out' ->> '*', (
                       SELECT t.description -> 'left_out' ->> a.attname FROM pg_attribute a
                       WHERE a.attrelid = format('%I.%I', s.service, t.relation)::regclass AND a.attnum > 0 AND NOT a.attisdropped
                         AND a.attnotnull AND NOT a.atthasdef AND t.description -> 'left_out' ->> a.attname IS NOT NULL
                         AND s.service || '.' || t.relation || '.' || a.attname <> ALL (\(supplied))
                       LIMIT 1)) AS reason
            FROM unnest(\(ServiceRole.allCases.map(\.schemaName))) AS s (service) CROSS JOIN LATERAL heartguard.exported_tables(s.service) AS t
            """,
            tier: .normal)
    }
}

extension Statement<Scalar<String>> {
    /// The tables, each behind those that it refers to, and the account before all, for it says whether the person is here. A ring of tables there
    /// cannot be, which erasing relies on too.
    static func inOrder(_ tables: [String]) -> Self {
        .reading(
            """
            WITH RECURSIVE told AS (
                SELECT name, format('%I.%I', split_part(name, '.', 1), split_part(name, '.', 2))::regclass::oid AS oid FROM unnest(\(tables)) AS name
            ), height AS (
                SELECT oid, 0 AS height FROM told
                UNION
                SELECT k.conrelid, h.height + 1 FROM height h JOIN pg_constraint k ON k.confrelid = h.oid AND k.contype = 'f'
                WHERE k.conrelid <> k.confrelid AND k.conrelid IN (SELECT oid FROM told)
            )
            SELECT name FROM told JOIN height USING (oid) GROUP BY name ORDER BY name <> 'users.users', max(height), name
            """)
    }
}
