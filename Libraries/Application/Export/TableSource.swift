internal import FoundationEssentials
package import Postgres

/// A table whose rows are told: what is to be known of it, as JSON.
package struct ExportedTable: RowDecodable, Sendable {
    package let name: String
    package let description: String

    package init(row: Row) throws(PostgresError) {
        name = try row.decode("relation")
        description = try row.decode("description")
    }
}

/// A row of a table, as JSON, and its key, for the page behind it.
package struct ExportedRow: RowDecodable, Sendable {
    package let record: String
    package let place: String

    package init(row: Row) throws(PostgresError) {
        record = try row.decode("record")
        place = try row.decode("place")
    }
}

extension RecordSource {
    /// Every row of every table of a service that has the person's rows: a new table is told without anybody thinking of it. The tables say
    /// first what they are, so that also an empty one is there, and what is left out of them.
    ///
    /// - Parameters:
    ///   - schema: the service's.
    ///   - mostBytes: what a page has at most, unless one row has more.
    package static func tables(of postgres: Postgres, schema: String, mostBytes: Int32 = 1 << 20) -> RecordSource {
        RecordSource("tables") { user, place in
            let tables = try await postgres.rows(.exportedTables(of: schema))
            guard let place = try place.map(TablePlace.init(parsing:)) else {
                var page = RecordPage(next: tables.first.map { TablePlace(table: $0.name, after: nil).text })
                for table in tables { page.content += Array((table.description + "\n").utf8) }
                return page
            }
            // A table that went with a new version of the schema is passed by.
            var rest = tables.drop { $0.name < place.table }
            var after = rest.first?.name == place.table ? place.after : nil
            var page = RecordPage()
            while let table = rest.first {
                let left = mostBytes - Int32(page.content.count)
                let rows = try await postgres.rows(
                    .exportRows(of: table.name, in: schema, after: after, mostBytes: left), identity: .user(user))
                let type = "\(schema).\(table.name)"
                for row in rows { page.content += Array("{\"type\":\"\(type)\",\"record\":\(row.record)}\n".utf8) }
                if let last = rows.last {
                    page.counts[type, default: 0] += Int64(rows.count)
                    page.next = TablePlace(table: table.name, after: last.place).text
                    // It may have more; so that none is missed, it is asked until it has none.
                    after = last.place
                } else {
                    rest = rest.dropFirst()
                    after = nil
                }
                if page.content.count >= Int(mostBytes) * 3 / 4, !rest.isEmpty { return page }
            }
            page.next = nil
            return page
        }
    }
}

/// Where the rows of a service go on: behind the row of this key, in this table.
private struct TablePlace {
    let table: String
    let after: String?

    init(table: String, after: String?) {
        self.table = table
        self.after = after
    }

    init(parsing text: String) throws(ExportError) {
        let parts = text.split(separator: " ", maxSplits: 1)
        guard let table = parts.first else { throw .noSuchPlace }
        self.init(table: String(table), after: parts.count == 2 ? String(parts[1]) : nil)
    }

    var text: String { after.map { "\(table) \($0)" } ?? table }
}

extension Statement<ExportedTable> {
    package static func exportedTables(of schema: String) -> Self {
        .reading("SELECT relation, description::text AS description FROM heartguard.exported_tables(\(schema)) ORDER BY relation COLLATE \"C\"")
    }
}

extension Statement<ExportedRow> {
    /// - Parameter after: the place of the row that they are behind.
    package static func exportRows(of table: String, in schema: String, after: String?, mostBytes: Int32) -> Self {
        .reading(
            """
            SELECT record, place
            FROM heartguard.export_rows(\(schema), \(table), \(after.map { JSONB($0) })::jsonb, 10000, \(max(mostBytes, 1)))
            """,
            tier: .normal)
    }
}
