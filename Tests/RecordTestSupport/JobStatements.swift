internal import FoundationEssentials
internal import Jobs
package import Postgres
internal import Time

/// What the library of jobs sends to a service's schema.
package enum JobStatements {
    /// - Parameter schema: the service's.
    package static func catalogue(in schema: Query) -> [CataloguedStatement] {
        let id = UUID()
        let moment = Instant(microsecondsSinceEpoch: 1_800_000_000_000_000)
        let (outbox, effects): (Query, Query) = ("\(schema).outbox", "\(schema).job_effects")
        return [
            CataloguedStatement(.add(OutboxEvent(topic: "topic", aggregateID: id), to: outbox)),
            CataloguedStatement(.due(in: outbox, limit: 1)),
            CataloguedStatement(.markPublished([id], in: outbox)),
            CataloguedStatement(.putOff(id, because: "reason", in: outbox)),
            CataloguedStatement(.backlog(of: outbox)),
            CataloguedStatement(.forgetEvents(before: moment, in: outbox)),
            CataloguedStatement(.commitEffect(of: "instance", fence: 1, in: effects)),
            CataloguedStatement(.shutOut(before: 1, of: "instance", in: effects)),
            CataloguedStatement(.effect(of: "instance", in: effects)),
            CataloguedStatement(.forgetEffects(before: moment, in: effects)),
        ]
    }
}
