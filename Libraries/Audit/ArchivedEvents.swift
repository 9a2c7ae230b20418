/// The events of several archives as those of one, in the order of the log. What more than one holds comes as often.
package final class ArchivedEvents {
    private struct Source {
        var next: RecordedEvent
        let read: () throws -> RecordedEvent?
    }

    private var sources: [Source] = []

    /// - Parameter sources: of each archive, what reads its next event.
    package init(_ sources: [() throws -> RecordedEvent?]) throws {
        for read in sources {
            if let first = try read() { self.sources.append(Source(next: first, read: read)) }
        }
    }

    /// The next event, if it stands no later than this; any without a key.
    func next(through key: AuditKey?) throws -> RecordedEvent? {
        guard let index = sources.indices.min(by: { sources[$0].next.key < sources[$1].next.key }) else { return nil }
        let event = sources[index].next
        if let key, key < event.key { return nil }
        if let following = try sources[index].read() { sources[index].next = following } else { sources.remove(at: index) }
        return event
    }
}
