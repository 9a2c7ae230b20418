package import Contracts

/// Which fields an update speaks of, as AIP-134 has it: those that its mask names, `*` for all of them; without a mask those that are set.
package struct UpdateMask {
    /// `nil`: there is no mask.
    private let paths: [String]?
    /// The fields that were asked for.
    private var fields: [String] = []

    package init(_ mask: GoogleProtobuf.FieldMask?) {
        let paths = mask?.paths ?? []
        self.paths = paths.isEmpty ? nil : paths
    }

    /// What the update says of a field: `nil` if it does not speak of it, `empty` if the mask names it and it is not set.
    package mutating func value<Value>(_ field: String, _ given: Value?, empty: Value) -> Value? {
        guard let isNamed = names(field) else { return given }
        return isNamed ? given ?? empty : nil
    }

    /// The same of a field that has to be set if the mask names it.
    package mutating func value<Value>(_ field: String, _ given: Value?, noting violations: inout FieldViolations) -> Value? {
        guard let isNamed = names(field) else { return given }
        violations.check(!isNamed || given != nil, field, "The field is needed.")
        return isNamed ? given : nil
    }

    /// Notes it when the mask names what is none of the fields that were asked for.
    package func check(noting violations: inout FieldViolations) {
        let isKnown = (paths ?? []).allSatisfy { path in path == "*" || fields.contains(path) }
        violations.check(isKnown, "update_mask", "The field names what is no field that can be changed.")
    }

    /// `nil` without a mask.
    private mutating func names(_ field: String) -> Bool? {
        fields.append(field)
        return paths.map { paths in paths.contains("*") || paths.contains(field) }
    }
}
