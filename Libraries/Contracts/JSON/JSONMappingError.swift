internal import JSON

/// Why JSON could not be read as a message, and where.
package struct JSONMappingError: Error, Sendable, Equatable {
    /// The path of the field, as in `observations[3].quantity.unit`; empty for the whole.
    package let path: String
    /// A sentence that never repeats the value.
    package let reason: String

    init(path: String = "", _ reason: String) {
        self.path = path
        self.reason = reason
    }

    /// The same as seen from a message whose field it is of, or from an array or map, whose place is in brackets.
    func inside(_ part: String) -> JSONMappingError {
        let separator = path.isEmpty || path.hasPrefix("[") ? "" : "."
        return JSONMappingError(path: part + separator + path, reason)
    }

    /// Of a text that is no JSON at all.
    init(_ error: JSONSyntaxError) { self.init(error.sentence) }
}
