/// A column of a result.
package struct ResultColumn: Sendable, Hashable {
    package let name: String
    package let type: PostgresType
}
