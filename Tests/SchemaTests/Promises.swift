internal import Postgres

/// What the catalog says that code may do with the services' tables, and what it demands of such code.
///
/// A revision keeps the code that was written before it working if it keeps every promise and demands nothing new of what was there
/// (expand first, contract a release later). Names of constraints are promises too: services tell errors apart by them.
struct Promises: Sendable {
    struct Fact: RowDecodable, Hashable {
        let isDemand: Bool
        /// The table that demands.
        let table: String
        /// The columns that a demand is about; none if it is about all rows.
        let columns: [String]
        let text: String

        init(row: Row) throws(PostgresError) {
            isDemand = try row.decode("is_demand")
            table = try row.decode("relation")
            columns = try row.decode("columns")
            text = try row.decode("text")
        }
    }

    private let facts: Set<Fact>
    private let columns: Set<String>
    private var tables: Set<String> { Set(facts.map(\.table)) }

    init(of postgres: Postgres) async throws(PostgresError) {
        facts = Set(try await postgres.rows(Self.listing, as: Fact.self, mode: .readOnly))
        columns = Set(facts.flatMap { fact in fact.columns.map { "\(fact.table).\($0)" } })
    }

    /// What code that relies on these promises finds broken by others that took their place, in the order of the sentences.
    func broken(by later: Promises) -> [String] {
        let lost = facts.filter { !$0.isDemand && !later.facts.contains($0) }.map { "no longer: \($0.text)" }
        let demands = Set(facts.filter(\.isDemand).map(\.text))
        let found = later.facts.filter { fact in
            // What is demanded of columns that are new concerns nobody who doesn't know them.
            fact.isDemand && !demands.contains(fact.text) && tables.contains(fact.table)
                && (fact.columns.isEmpty || fact.columns.contains { columns.contains("\(fact.table).\($0)") })
        }.map { "demanded now: \($0.text)" }
        return (lost + found).sorted()
    }

    private static let listing: Query = """
        WITH relations AS (
            SELECT c.oid, c.oid::regclass::text AS name, c.relkind, c.relrowsecurity FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname IN ('users', 'vitals', 'chat', 'vectors', 'heartguard') AND c.relkind IN ('r', 'p', 'v', 'm')
              AND NOT c.relispartition AND c.relname NOT LIKE 'schema@_%' ESCAPE '@'
        ), attributes AS (
            SELECT r.oid, r.name, a.attnum, a.attname::text AS attname, a.attnotnull, format_type(a.atttypid, a.atttypmod) AS type,
                   a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND r.relkind IN ('r', 'p') AS must_be_told,
                   a.attgenerated = '' AND a.attidentity <> 'a' AND r.relkind IN ('r', 'p') AS may_be_told
            FROM relations r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
        ), roles AS (
            SELECT 'heartguard_' || service AS role FROM unnest(ARRAY['users', 'vitals', 'chat', 'vectors']) AS service
        )
        SELECT false AS is_demand, name AS relation, ARRAY[attname] AS columns, format('%s.%s is %s', name, attname, type) AS text FROM attributes
        UNION ALL
        SELECT false, name, ARRAY[attname], format('%s.%s may be null', name, attname) FROM attributes WHERE NOT attnotnull
        UNION ALL
        SELECT false, name, ARRAY[attname], format('%s.%s may be left out', name, attname) FROM attributes WHERE NOT must_be_told
        UNION ALL
        SELECT false, name, ARRAY[attname], format('%s.%s takes values', name, attname) FROM attributes WHERE may_be_told
        UNION ALL
        SELECT true, name, '{}', format('a value for %s.%s', name, attname) FROM attributes WHERE must_be_told
        UNION ALL
        SELECT false, name, ARRAY[attname], format('%s may %s %s.%s', role, lower(privilege), name, attname)
        FROM attributes, roles, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) AS privilege WHERE has_column_privilege(role, oid, attnum, privilege)
        UNION ALL
        SELECT false, name, '{}', format('%s may delete %s', role, name) FROM relations, roles WHERE has_table_privilege(role, oid, 'DELETE')
        UNION ALL
        SELECT false, n.nspname, '{}', format('%s may use %s', role, n.nspname) FROM pg_namespace n, roles WHERE has_schema_privilege(role, n.oid, 'USAGE')
        UNION ALL
        SELECT false, p.oid::regproc::text, '{}', format('%s may call %s, which gives %s', role, p.oid::regprocedure, pg_get_function_result(p.oid))
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace, roles
        WHERE n.nspname IN ('users', 'vitals', 'chat', 'vectors', 'heartguard') AND has_function_privilege(role, p.oid, 'EXECUTE')
        UNION ALL
        -- ON CONFLICT needs them, and whoever reads the name of what was violated. What they demand is about the columns that are null
        -- for who does not know them, if there are such: a null frees a row of the demand.
        SELECT asked, r.name, CASE WHEN asked AND keys.freeing <> '{}' THEN keys.freeing ELSE keys.columns END, format('%s is unique by %s: %s%s', r.name, c.relname, keys.text, ' WHERE ' || pg_get_expr(i.indpred, i.indrelid))
        FROM relations r JOIN pg_index i ON i.indrelid = r.oid AND i.indisunique JOIN pg_class c ON c.oid = i.indexrelid
        CROSS JOIN LATERAL (SELECT string_agg(pg_get_indexdef(i.indexrelid, k, false), ', ' ORDER BY k) AS text,
                                   coalesce(array_agg(a.attname::text) FILTER (WHERE a.attname IS NOT NULL), '{}') AS columns,
                                   coalesce(array_agg(a.attname::text) FILTER (WHERE a.attname IS NOT NULL AND NOT i.indnullsnotdistinct
                                       AND NOT a.attnotnull AND NOT a.atthasdef), '{}') AS freeing
                            FROM generate_series(1, i.indnkeyatts) AS k
                            LEFT JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = i.indkey[k - 1] AND a.attnum > 0) AS keys
        CROSS JOIN unnest(ARRAY[false, true]) AS asked
        UNION ALL
        SELECT true, r.name, coalesce((SELECT array_agg(a.attname::text) FROM pg_attribute a WHERE a.attrelid = r.oid AND a.attnum = ANY (c.conkey)), '{}'),
               format('%s: %s', r.name, pg_get_constraintdef(c.oid))
        FROM relations r JOIN pg_constraint c ON c.conrelid = r.oid AND c.contype IN ('c', 'f', 'x', 't')
        UNION ALL
        SELECT true, r.name, '{}', format('%s has the trigger %s', r.name, pg_get_triggerdef(t.oid))
        FROM relations r JOIN pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
        UNION ALL
        SELECT true, name, '{}', format('%s has row-level security', name) FROM relations WHERE relrowsecurity
        UNION ALL
        SELECT NOT p.polpermissive, r.name, '{}', format('%s: policy %s for %s to %s using %s checking %s', r.name, p.polname, p.polcmd,
               (SELECT string_agg(CASE WHEN role = 0 THEN 'public' ELSE pg_get_userbyid(role) END, ',' ORDER BY role) FROM unnest(p.polroles) AS role),
               pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
        FROM relations r JOIN pg_policy p ON p.polrelid = r.oid
        """
}
