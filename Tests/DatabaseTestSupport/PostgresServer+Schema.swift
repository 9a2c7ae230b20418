internal import Logging
internal import Migrations
internal import Postgres
internal import Schema
package import TestSupport

extension PostgresServer {
    /// Makes an empty database of the owner's, and the roles of the services, as a cluster's bootstrap does.
    package func makeDatabase(_ name: String) async throws {
        for role in [ServiceRole.owner] + ServiceRole.allCases.map(\.roleName) {
            // Another suite may be making the same roles.
            try await psql(
                """
                DO $$ BEGIN CREATE ROLE \(role) LOGIN;
                EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$
                """)
        }
        try await psql("CREATE DATABASE \(name) OWNER \(ServiceRole.owner)")
    }

    /// Makes a database as `heartguard migrate` leaves it.
    package func makeMigratedDatabase(_ name: String) async throws {
        try await makeDatabase(name)
        try await PostgresServer.withClient(configuration(database: name, user: ServiceRole.owner)) { owner in
            // What goes wrong in a test is seen by the test.
            _ = try await Migrator(owner, chain: Schema.chain, logger: Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }).up()
        }
    }
}
