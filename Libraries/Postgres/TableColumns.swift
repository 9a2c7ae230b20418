/// A table and those of its columns that rows are written to. Names are literals, so no text of another origin can be spliced
/// in; they are written as SQL has them, with quotes where they need some.
package struct TableColumns: Sendable {
    let table: String
    let columns: [String]

    package init(_ table: StaticString, columns: [StaticString]) {
        precondition(!columns.isEmpty && columns.count <= 1_600, "PostgreSQL's tables have 1 to 1,600 columns")
        self.table = "\(table)"
        self.columns = columns.map { "\($0)" }
    }

    var list: String { columns.joined(separator: ", ") }
}
