package import Migrations

/// The one chain of revisions that every context's tables come from.
///
/// The files stand in `Revisions/`, a revision a file, and are embedded in the program. A file that has been
/// released is never edited: its checksum is recorded in every database that has it.
package enum Schema {
    /// Every revision, oldest first.
    package static let chain = MigrationChain(revisions: [
        revision("7997d76f03d0", "baseline", PackageResources._997d76f03d0_baseline_sql),
        revision("20260124", "vector_tables", PackageResources._0260124_vector_tables_sql),
        revision("20260221", "missing_tables", PackageResources._0260221_missing_tables_sql),
    ])

    private static func revision(_ id: String, _ name: String, _ file: [UInt8]) -> Revision {
        Revision(id: id, name: name, sql: String(decoding: file, as: UTF8.self))
    }
}
