package import RPC

extension FieldViolations {
    /// Makes a value of a field. Notes why it could not be made and answers `nil`, so that the next field is read too.
    package mutating func value<Given, Value>(
        _ field: @autoclosure () -> String, _ given: Given, _ parse: (Given) throws(InvalidValue) -> Value
    ) -> Value? {
        do throws(InvalidValue) {
            return try parse(given)
        } catch {
            add(field(), error.sentence())
            return nil
        }
    }

    /// Makes a value of a field that may be absent.
    package mutating func optional<Given, Value>(
        _ field: @autoclosure () -> String, _ given: Given?, _ parse: (Given) throws(InvalidValue) -> Value
    ) -> Value? {
        given.flatMap { value(field(), $0, parse) }
    }

    /// The values, once every field has been read. Throws INVALID_ARGUMENT with every violation that was noted.
    package func complete<each Value>(_ values: repeat (each Value)?) throws(RPCError) -> (repeat each Value) {
        try throwIfAny()
        return (repeat try Self.present(each values))
    }

    /// How many a page holds: what was asked for, the usual number for 0, and the most for whoever asks for more (AIP-158).
    package mutating func pageSize(_ asked: Int32, usual: Int, most: Int) -> Int? {
        value("page_size", Int(asked)) { asked throws(InvalidValue) in
            guard asked >= 0 else { throw InvalidValue("must not be negative") }
            return asked == 0 ? usual : min(asked, most)
        }
    }

    private static func present<Value>(_ value: Value?) throws(RPCError) -> Value {
        // Every `nil` comes from `value`, which notes a violation.
        guard let value else { throw RPCError(.invalidArgument, "A field of the request is missing.") }
        return value
    }
}
