internal import Application
internal import RPC

extension FieldViolations {
    /// The value that a field makes; `nil`, and a violation of the field, if it breaks a rule.
    mutating func value<Value>(_ field: String, _ make: () throws(BrokenRule) -> Value) -> Value? {
        do throws(BrokenRule) {
            return try make()
        } catch {
            add(field, error.sentence)
            return nil
        }
    }

    /// The parts of a request that broke no rule; INVALID_ARGUMENT with every violation if one did.
    func all<each Part>(_ part: repeat (each Part)?) throws(RPCError) -> (repeat each Part) {
        try throwIfAny()
        return (repeat try FieldViolations.present(each part))
    }

    private static func present<Part>(_ part: Part?) throws(RPCError) -> Part {
        // Every nil comes from `value`, which notes a violation.
        guard let part else { throw RPCError(.invalidArgument, "A field of the request is missing.") }
        return part
    }
}
