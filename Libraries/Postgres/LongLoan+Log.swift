internal import ConnectionPool
internal import Logging

extension LongLoan {
    /// One line: who has the connection, for how long, and the statement it last ran, with its placeholders and no value.
    func log(_ logger: Logger) {
        logger.warning("A connection is lent for long", metadata: [
            "borrower": "\(borrower)", "seconds": "\(duration.components.seconds)", "statement": "\(activity ?? "none yet")",
        ])
    }
}
