internal import Application
internal import FoundationEssentials
package import Postgres

/// What the removal of a person's records sends to a service's schema.
package enum ErasureStatements {
    /// - Parameter schema: the service's.
    package static func catalogue(in schema: Query) -> [CataloguedStatement] {
        let subject = ErasureSubject(erasure: UUID(), user: UUID())
        return [
            CataloguedStatement(.eraseRows(for: subject.erasure, atMost: 1, in: schema)),
            CataloguedStatement(.removedRows(for: subject.erasure, in: schema)),
            CataloguedStatement(.forgetEvents(about: subject, in: schema)),
        ]
    }
}
