package import RPC
internal import Contracts

/// What is wrong with a request, gathered field by field and reported at once.
package struct FieldViolations {
    private var violations: [(field: String, description: String)] = []

    package init() {}

    /// Notes a violation unless the condition holds.
    package mutating func check(_ condition: Bool, _ field: String, _ description: @autoclosure () -> String) {
        if !condition { add(field, description()) }
    }

    /// Notes a violation. The description is a sentence for the caller; it never repeats the value.
    package mutating func add(_ field: String, _ description: String) {
        violations.append((field, description))
    }

    /// Throws INVALID_ARGUMENT with google.rpc.BadRequest when anything was noted.
    package func throwIfAny() throws(RPCError) {
        guard !violations.isEmpty else { return }
        throw RPCError.invalid(violations)
    }
}
