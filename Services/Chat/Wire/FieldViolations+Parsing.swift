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

    /// How many a page holds: what was asked for within the bounds, or the usual number for 0.
    mutating func pageSize(_ asked: Int32, usual: Int, most: Int) -> Int? {
        value("page_size") { () throws(BrokenRule) in
            guard (0...most).contains(Int(asked)) else {
                throw BrokenRule("It must be 1 to \(most), or 0 for \(usual).")
            }
            return asked == 0 ? usual : Int(asked)
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
