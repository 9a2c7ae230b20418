package import Postgres

/// What a schema consists of, object by object, as the server's catalog has it.
///
/// It is recorded in the transaction that applies a revision, so that a change made past the chain can be told afterwards
/// and named. Partitions by range come and go with time and are left out; so is what extensions own.
package enum Catalog {
    /// One object and its definition, in the words of the server.
    package struct Entry: RowDecodable, Hashable {
        package let object: String
        package let definition: String

        package init(row: Row) throws(PostgresError) {
            object = try row.decode("object")
            definition = try row.decode("definition")
        }
    }

    /// Every object of a database, in the order of their names.
    package static func entries(_ postgres: Postgres) async throws(PostgresError) -> [Entry] {
        try await postgres.rows(
            "SELECT object, definition FROM (\(listing)) AS listed ORDER BY object COLLATE \"C\"", as: Entry.self,
            tier: .slow, mode: .readOnly)
    }

    /// Where the entries are kept that the last revision left.
    static let table = """
        CREATE TABLE heartguard.schema_catalog (object text PRIMARY KEY, definition text NOT NULL);
        COMMENT ON TABLE heartguard.schema_catalog IS 'What the revisions that were applied consist of.';
        """

    static func record(in transaction: Transaction) async throws(PostgresError) {
        try await transaction.execute("DELETE FROM heartguard.schema_catalog")
        try await transaction.execute(
            "INSERT INTO heartguard.schema_catalog (object, definition) SELECT object, definition FROM (\(listing)) AS listed")
    }

    /// What differs from what was recorded, each as `missing …`, `added …` or `changed …`.
    static func drift(in transaction: Transaction) async throws(PostgresError) -> [String] {
        try await transaction.rows(
            """
            SELECT CASE WHEN found.object IS NULL THEN 'missing ' || kept.object
                        WHEN kept.object IS NULL THEN 'added ' || found.object ELSE 'changed ' || kept.object END
            FROM heartguard.schema_catalog AS kept FULL JOIN (\(listing)) AS found ON found.object = kept.object
            WHERE kept.definition IS DISTINCT FROM found.definition
            ORDER BY coalesce(kept.object, found.object) COLLATE "C"
            """, as: Scalar<String>.self
        ).map(\.value)
    }

    private static let listing: Query = """
        WITH spaces AS (
            SELECT n.oid, n.nspname, n.nspacl FROM pg_namespace n
            WHERE n.nspname NOT LIKE 'pg@_%' ESCAPE '@' AND n.nspname <> 'information_schema'
              AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_namespace'::regclass AND d.objid = n.oid AND d.deptype = 'e')
        ), relations AS (
            SELECT c.oid, format('%I.%I', s.nspname, c.relname) AS name, c.relkind, c.relrowsecurity, c.relforcerowsecurity,
                   c.relacl, c.relowner, c.reloptions, c.relispartition, c.relpersistence, c.relpartbound
            FROM pg_class c JOIN spaces s ON s.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
              AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
              AND NOT (c.relispartition AND pg_get_expr(c.relpartbound, c.oid) LIKE 'FOR VALUES FROM%')
        )
        SELECT 'schema ' || s.nspname AS object, coalesce(s.nspacl::text, '') AS definition FROM spaces s
        UNION ALL
        SELECT 'relation ' || r.name, concat_ws(' ', r.relkind, r.relpersistence, pg_get_userbyid(r.relowner), r.relacl::text,
               CASE WHEN r.relrowsecurity THEN 'secured' END, CASE WHEN r.relforcerowsecurity THEN 'forced' END, r.reloptions::text,
               pg_get_expr(r.relpartbound, r.oid), CASE WHEN r.relkind = 'p' THEN pg_get_partkeydef(r.oid) END,
               CASE WHEN r.relkind IN ('v', 'm') THEN pg_get_viewdef(r.oid) END)
        FROM relations r
        UNION ALL
        SELECT format('column %s.%I', r.name, a.attname), concat_ws(' ', format_type(a.atttypid, a.atttypmod),
               CASE WHEN a.attcollation <> t.typcollation AND r.relkind NOT IN ('v', 'm') THEN 'collate ' || a.attcollation::regcollation END,
               CASE WHEN a.attnotnull THEN 'not null' END, nullif(a.attgenerated, ''), nullif(a.attidentity, ''), a.attacl::text,
               pg_get_expr(d.adbin, d.adrelid))
        FROM relations r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
        JOIN pg_type t ON t.oid = a.atttypid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE r.relkind <> 'S'
        UNION ALL
        SELECT format('constraint %s.%I', r.name, c.conname), concat_ws(' ', pg_get_constraintdef(c.oid), CASE WHEN NOT c.convalidated THEN 'not valid' END,
               CASE WHEN EXISTS (SELECT FROM pg_trigger t WHERE t.tgconstraint = c.oid AND t.tgisinternal AND t.tgenabled <> 'O') THEN 'not enforced' END)
        FROM relations r JOIN pg_constraint c ON c.conrelid = r.oid WHERE c.contype <> 'n'
        UNION ALL
        SELECT format('index %s.%I', r.name, c.relname), concat_ws(' ', pg_get_indexdef(i.indexrelid), CASE WHEN NOT i.indisvalid THEN 'invalid' END)
        FROM relations r JOIN pg_index i ON i.indrelid = r.oid JOIN pg_class c ON c.oid = i.indexrelid
        UNION ALL
        SELECT format('policy %s.%I', r.name, p.polname), concat_ws(' ', p.polcmd, p.polpermissive, (
                   SELECT string_agg(CASE WHEN role = 0 THEN 'public' ELSE pg_get_userbyid(role) END, ',' ORDER BY role) FROM unnest(p.polroles) AS role),
               pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
        FROM relations r JOIN pg_policy p ON p.polrelid = r.oid
        UNION ALL
        SELECT format('trigger %s.%I', r.name, t.tgname), concat_ws(' ', pg_get_triggerdef(t.oid), t.tgenabled)
        FROM relations r JOIN pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
        UNION ALL
        SELECT format('function %I.%I(%s)', s.nspname, f.proname, pg_get_function_identity_arguments(f.oid)),
               concat_ws(' ', pg_get_functiondef(f.oid), pg_get_userbyid(f.proowner), f.proacl::text)
        FROM spaces s JOIN pg_proc f ON f.pronamespace = s.oid AND f.prokind IN ('f', 'p') AND f.prolang <> (SELECT oid FROM pg_language WHERE lanname = 'internal')
        WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e')
        UNION ALL
        SELECT format('type %I.%I', s.nspname, t.typname), concat_ws(' ', t.typtype, format_type(t.typbasetype, t.typtypmod), t.typacl::text,
               (SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid))
        FROM spaces s JOIN pg_type t ON t.typnamespace = s.oid AND t.typtype IN ('e', 'r', 'd')
        WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
        UNION ALL
        SELECT format('rule %s.%I', r.name, w.rulename), concat_ws(' ', pg_get_ruledef(w.oid), w.ev_enabled)
        FROM relations r JOIN pg_rewrite w ON w.ev_class = r.oid AND w.rulename <> '_RETURN'
        UNION ALL
        SELECT concat_ws(' ', 'default privileges of', pg_get_userbyid(p.defaclrole), 'for', p.defaclobjtype, 'in ' || n.nspname), p.defaclacl::text
        FROM pg_default_acl p LEFT JOIN pg_namespace n ON n.oid = p.defaclnamespace
        UNION ALL
        SELECT 'event trigger ' || e.evtname, concat_ws(' ', e.evtevent, e.evtfoid::regproc, e.evtenabled) FROM pg_event_trigger e
        WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_event_trigger'::regclass AND d.objid = e.oid AND d.deptype = 'e')
        UNION ALL
        SELECT 'extension ' || extname, '' FROM pg_extension
        """
}
