internal import Foundation
internal import Postgres

/// What only the superuser may do, once and again without harm: the roles, their passwords, the database, and the extensions
/// that are used where the server offers them. The owner role then applies the migrations, and grants each service what it
/// may do.
struct DatabaseBootstrap: Sendable {
    let host: String
    /// One, or one for each of several hosts.
    let ports: [Int]
    let tls: PostgresConfiguration.TLS
    let clientCertificate: PostgresConfiguration.ClientCertificate?
    let superuser: Credentials.Role
    let owner: Credentials.Role
    let services: [Credentials.Role]
    let database: String

    func run() throws {
        // The passwords travel in psql's input and are quoted by psql; they are in no argument, and the server logs no statement.
        var script = "\\set ON_ERROR_STOP on\nSET client_min_messages = warning;\nSET password_encryption = 'scram-sha-256';\n"
        for role in [owner] + services {
            script += """
                \\set role \(Self.psqlQuoted(role.user))
                \\set password \(Self.psqlQuoted(role.password))
                SELECT format('CREATE ROLE %I', :'role') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \\gexec
                ALTER ROLE :"role" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'password';

                """
        }
        script += """
            \\set owner \(Self.psqlQuoted(owner.user))
            \\set database \(Self.psqlQuoted(database))
            SELECT format('CREATE DATABASE %I OWNER %I', :'database', :'owner')
                WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \\gexec
            ALTER DATABASE :"database" OWNER TO :"owner";
            REVOKE ALL ON DATABASE :"database" FROM PUBLIC;

            """
        for role in services {
            script += "GRANT CONNECT ON DATABASE \"\(database)\" TO \"\(role.user)\";\n"
        }
        script += "\\connect :database\nREVOKE ALL ON SCHEMA public FROM PUBLIC;\n" + Self.extensions(owner: owner.user)
        try psql(script)
    }

    /// pgvector, for `vector(384)` columns; and pg_cron, which can be made in the one database that the server's setting
    /// `cron.database_name` names, and whose jobs the owner is to schedule.
    private static func extensions(owner: String) -> String {
        """
        SELECT 'CREATE EXTENSION IF NOT EXISTS vector' WHERE EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') \\gexec
        SELECT 'CREATE EXTENSION IF NOT EXISTS pg_cron' WHERE current_setting('cron.database_name', true) = current_database() \\gexec
        SELECT format('GRANT USAGE ON SCHEMA cron TO %I', '\(owner)') WHERE to_regnamespace('cron') IS NOT NULL \\gexec

        """
    }

    /// Whether the server takes this login now; the reason when it does not.
    func whyNotReady() -> String? {
        do {
            try psql("SELECT 1;\n")
            return nil
        } catch {
            return "\(error)"
        }
    }

    private func psql(_ script: String) throws {
        var environment = [
            "PGHOST": host, "PGPORT": ports.map { "\($0)" }.joined(separator: ","), "PGUSER": superuser.user, "PGPASSWORD": superuser.password,
            "PGDATABASE": "postgres", "PGCONNECT_TIMEOUT": "5", "PGAPPNAME": "heartguard-bootstrap", "PGTARGETSESSIONATTRS": "read-write",
            "PGSSLMODE": tls.sslmode,
        ]
        environment["PGSSLROOTCERT"] = tls.rootCertificate
        environment["PGSSLCERT"] = clientCertificate?.certificate
        environment["PGSSLKEY"] = clientCertificate?.key
        try Tool.run(
            "psql", ["--no-psqlrc", "--quiet", "--tuples-only", "--set=ON_ERROR_STOP=1", "--file=-"], input: script,
            environment: environment)
    }

    /// A single-quoted argument of a psql meta-command.
    private static func psqlQuoted(_ text: String) -> String {
        "'\(text.replacing("\\", with: "\\\\").replacing("'", with: "\\'"))'"
    }
}
