internal import JSON

/// Puts the parameters of a path or a query into a JSON object, each in the form that its field reads.
struct ParameterPath {
    let contracts: ContractSchema

    func setting(
        _ parameter: (field: String, values: [String]), in object: JSONValue, _ message: MessageSchema
    ) throws(JSONMappingError) -> JSONValue {
        guard case .object(var members) = object else { throw JSONMappingError("Must be an object, not \(object.kindName).") }
        let parts = parameter.field.split(separator: ".", maxSplits: 1).map(String.init)
        guard let name = parts.first, let field = message.field(named: name) else {
            throw JSONMappingError("There is no field of this name.").inside(parts.first ?? "")
        }
        let old = members.firstIndex { $0.name == field.name || $0.name == field.jsonName }
        let value: JSONValue
        if parts.count == 2 {
            do throws(JSONMappingError) {
                guard !field.isRepeated, let inner = contracts.message(of: field) else {
                    throw JSONMappingError("Has no fields that a parameter could set.")
                }
                value = try setting((parts[1], parameter.values), in: old.map { members[$0].value } ?? .object([]), inner)
            } catch {
                throw error.inside(field.name)
            }
        } else if field.isRepeated {
            value = .array(parameter.values.map { json($0, field) })
        } else {
            guard parameter.values.count == 1 else { throw JSONMappingError("Must be given once.").inside(field.name) }
            value = json(parameter.values[0], field)
        }
        if let old { members.remove(at: old) }
        members.append((field.name, value))
        return .object(members)
    }

    /// JSON's mapping reads numbers, enums and times from strings; only booleans it does not.
    private func json(_ text: String, _ field: FieldSchema) -> JSONValue {
        if field.kind == .bool, text == "true" || text == "false" { return .bool(text == "true") }
        if field.kind == .enumeration, Int32(text) != nil { return .number(text) }
        return .string(text)
    }
}
