/// The roles of the database: one that owns everything and one per service that owns nothing.
///
/// The cluster's bootstrap makes them before the first migration; the revisions only grant to them.
package enum ServiceRole: String, CaseIterable, Sendable {
    case users, vitals, chat, vectors

    /// The role that owns the database and runs the migrations.
    package static let owner = "heartguard_owner"

    /// The login role of the service, for example `heartguard_users`.
    package var roleName: String { "heartguard_\(rawValue)" }

    /// The schema that the role can see.
    package var schemaName: String { rawValue }
}
