internal import Application

/// What the telling of a person's records sends to a service's schema.
package enum ExportStatements {
    /// - Parameter schema: the service's, with a table of it.
    package static func catalogue(in schema: String, table: String) -> [CataloguedStatement] {
        [
            CataloguedStatement(.exportedTables(of: schema)),
            CataloguedStatement(.exportRows(of: table, in: schema, after: nil, mostBytes: 1)),
        ]
    }
}
