internal import Postgres

/// The rows of a file as they wait to be taken in: in a table of the session's own, which goes with the transaction, each with its table and
/// its line. What an export cannot tell, and what must not come to life again, is put right there, before anything is a record.
enum Staging {
    /// Makes the table, and the function that takes the rows of one table in. That is generic: it knows of a table what the catalogue knows.
    ///
    /// A row that refers to one that is not here, such as a provider, is left out, and so is what refers to it, since tables come behind those that
    /// they refer to. Rows of one table may refer to each other in any order, for they are one statement.
    static let script = #"""
        -- A statement whose command was killed ends by then, and need not come to its end first.
        SET LOCAL client_connection_check_interval = '5s';
        CREATE TEMP TABLE restored (relation text, number bigint, record json NOT NULL, PRIMARY KEY (relation, number)) ON COMMIT DROP;

        CREATE OR REPLACE FUNCTION pg_temp.restore(relation text, columns text[]) RETURNS bigint
        LANGUAGE plpgsql SET search_path = pg_catalog AS $$
        DECLARE
            target regclass := format('%I.%I', split_part(relation, '.', 1), split_part(relation, '.', 2));
            names text;
            fields text;
            condition text;
            count bigint;
        BEGIN
            SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum),
                   string_agg(CASE a.atttypid WHEN 'bytea'::regtype THEN format('decode(r.record ->> %L, ''base64'')', a.attname)
                                              ELSE format('t.%I', a.attname) END, ', ' ORDER BY a.attnum)
                INTO names, fields FROM pg_attribute a WHERE a.attrelid = target AND a.attnum > 0 AND a.attname = ANY (columns);
            SELECT coalesce(string_agg(format('AND (num_nulls(%s) > 0 OR EXISTS (SELECT FROM %s AS o WHERE (%s) = (%s)))',
                                              keys.own, k.confrelid::regclass, keys.others, keys.own), ' '), '')
                INTO condition
                FROM pg_constraint k CROSS JOIN LATERAL (
                    SELECT string_agg(format('t.%I', a.attname), ', ' ORDER BY c.place) AS own,
                           string_agg(format('o.%I', b.attname), ', ' ORDER BY c.place) AS others
                    FROM unnest(k.conkey, k.confkey) WITH ORDINALITY AS c (own, other, place)
                    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = c.own
                    JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = c.other) AS keys
                WHERE k.conrelid = target AND k.contype = 'f' AND k.confrelid <> target;
            EXECUTE format('INSERT INTO %1$s (%2$s) SELECT %3$s FROM pg_temp.restored r CROSS JOIN LATERAL json_populate_record(NULL::%1$s, r.record) AS t
                            WHERE r.relation = $1 %4$s ORDER BY r.number', target, names, fields, condition) USING relation;
            GET DIAGNOSTICS count = ROW_COUNT;
            RETURN count;
        END
        $$;
        """#
}

/// Lines on their way to where rows wait: some of a file at a time, however large that is.
struct StagedLines {
    private var relations: [String] = []
    private var numbers: [Int] = []
    private var lines: [String] = []
    private var byteCount = 0
    private static let mostBytes = 1 << 20

    var count: Int { lines.count }
    var isFull: Bool { byteCount >= Self.mostBytes || count >= 5_000 }

    mutating func append(_ line: String, _ number: Int, of relation: String) {
        relations.append(relation)
        numbers.append(number)
        lines.append(line)
        byteCount += line.utf8.count
    }

    var insertion: Statement<Void> {
        .writing(
            """
            INSERT INTO pg_temp.restored (relation, number, record)
            SELECT relation, number, line::json -> 'record' FROM unnest(\(relations), \(numbers), \(lines)) AS l (relation, number, line)
            """)
    }
}

extension Statement<Void> {
    /// The account has the password that it is given, and no rights that a file could give it.
    static func accountWaits(passwordHash: String) -> Self {
        .writing(
            """
            UPDATE pg_temp.restored SET record = (record::jsonb || jsonb_build_object(
                'password_hash', \(passwordHash)::text, 'role', 'user', 'clinician_since', NULL, 'erasure_id', NULL))::json
            WHERE relation = 'users.users'
            """)
    }

    /// Nobody is signed in: sessions without their tokens have ended.
    static var sessionsEnd: Self {
        .writing(
            """
            UPDATE pg_temp.restored
            SET record = (record::jsonb || jsonb_build_object('ended_at', clock_timestamp(), 'end_reason', 'log_out'))::json
            WHERE relation = 'users.sessions' AND record ->> 'ended_at' IS NULL
            """)
    }

    /// Nobody is let in whom the person may have shut out since the file was written.
    static var grantsEnd: Self {
        .writing(
            """
            UPDATE pg_temp.restored SET record = (record::jsonb || jsonb_build_object('revoked_at', clock_timestamp()))::json
            WHERE relation = 'users.care_grants' AND record ->> 'revoked_at' IS NULL
            """)
    }

    /// What is known of the rows that wait, for whoever plans how to take them.
    static var analyzeStaging: Self { .writing("ANALYZE pg_temp.restored") }
}

extension Statement<Scalar<Int64>> {
    /// How many rows of a table were taken in.
    static func restore(_ table: String, columns: [String]) -> Self {
        .writing("SELECT pg_temp.restore(\(table), \(columns)) AS count")
    }
}
