extension Query {
    /// A statement written for Python's drivers, with `%s` for each value. For SQL that is ported; what is new is written
    /// as a literal with interpolations.
    ///
    /// - Throws: `.other("42601")` if the text does not end its constants, mixes forms of placeholders, or has not as many
    ///   as there are values. No values are in the message.
    package init(ported sql: StaticString, _ values: [any PostgresEncodable]) throws(PostgresError) {
        let output = try Query.convert(sql)
        guard output.names.allSatisfy({ $0 == nil }), output.names.count == values.count else {
            throw PostgresError(
                .other("42601"), "A ported statement has \(output.names.count) placeholders for \(values.count) values."
            )
        }
        self.init(output, values)
    }

    /// A statement written for Python's drivers, with `%(name)s` for each value. Throws as above.
    package init(ported sql: StaticString, named values: [String: any PostgresEncodable]) throws(PostgresError) {
        let output = try Query.convert(sql)
        var ordered: [any PostgresEncodable] = []
        for name in output.names {
            guard let name, let value = values[name] else {
                throw PostgresError(.other("42601"), "A ported statement has no value for “\(name ?? "%s")”.")
            }
            ordered.append(value)
        }
        self.init(output, ordered)
    }

    private static func convert(_ sql: StaticString) throws(PostgresError) -> PlaceholderLexer.Output {
        do throws(PlaceholderLexer.Failure) {
            return try PlaceholderLexer.convert("\(sql)")
        } catch {
            throw PostgresError(.other("42601"), "A ported statement cannot be read. \(error)")
        }
    }

    private init(_ output: PlaceholderLexer.Output, _ values: [any PostgresEncodable]) {
        var parameters = Parameters()
        for value in values { parameters.append(value) }
        self.init(sql: output.sql, parameters: parameters, placeholders: output.offsets)
    }
}
