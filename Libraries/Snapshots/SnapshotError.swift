/// Why a snapshot was not written or cannot be used: a sentence for an operator, which holds nothing of what is in it.
package struct SnapshotError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// Bytes are not what they were when they were written, or some are missing.
        case damaged
        /// It was written by a program that kept it in another form.
        case otherFormat
        /// There is no room for it on the disk.
        case diskFull
        /// The system refused to read or write.
        case file
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
