internal import Application
internal import FoundationEssentials
package import Postgres

/// What the keeping of answers by idempotency-keys sends to a service's schema.
package enum KeptAnswerStatements {
    /// - Parameter schema: the service's.
    package static func catalogue(in schema: Query) -> [CataloguedStatement] {
        let digest = [UInt8](repeating: 0, count: 32)
        let call = KeyedCall(person: UUID(), id: digest, request: digest)
        return [
            CataloguedStatement(.lock(call)),
            CataloguedStatement(.answer(to: call, in: schema)),
            CataloguedStatement(.keep([], to: call, for: .seconds(1), in: schema)),
            CataloguedStatement(.removeExpiredAnswers(atMost: 1, in: schema)),
        ]
    }
}
