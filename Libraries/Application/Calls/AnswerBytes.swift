package import RPC

/// How large an answer becomes of many messages.
package enum AnswerBytes {
    /// What the messages of a list take at most: an answer fits into the 4 MiB that clients of gRPC take unless they are told otherwise.
    package static let most = 3 << 20

    /// As many of the first as take `most` bytes together; one, if there is one, however much it takes.
    package static func fitting<Told: Message>(_ messages: some Sequence<Told>, upTo most: Int = AnswerBytes.most) -> [Told] {
        fitting(messages, upTo: most, telling: { $0 })
    }

    /// The same of rows, told one by one: none is that stands behind the first that does not fit.
    package static func fitting<Row, Told: Message, Failure: Error>(
        _ rows: some Sequence<Row>, upTo most: Int = AnswerBytes.most, telling tell: (Row) throws(Failure) -> Told
    ) throws(Failure) -> [Told] {
        var fitting: [Told] = []
        var bytes = 0
        for row in rows {
            let message = try tell(row)
            // One that cannot be written fails its answer, which says why.
            bytes += (try? message.serializedByteCount()) ?? 0
            guard fitting.isEmpty || bytes <= most else { break }
            fitting.append(message)
        }
        return fitting
    }
}
