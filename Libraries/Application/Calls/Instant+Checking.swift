package import Contracts
package import Time

extension Instant {
    /// Of a field of a request.
    package init(checking timestamp: GoogleProtobuf.Timestamp) throws(InvalidValue) {
        guard let instant = Instant(timestamp) else {
            throw InvalidValue("is not a timestamp between the years 1 and 9999")
        }
        self = instant
    }
}
