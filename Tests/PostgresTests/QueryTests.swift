import Testing
@testable import Postgres

@Suite struct `A query` {
    @Test func `turns interpolations into numbered parameters`() {
        let name = "Ada'; DROP TABLE users; --"

        let query: Query = "SELECT id FROM users WHERE name = \(name) AND age > \(Int64(7))"

        #expect(query.sql == "SELECT id FROM users WHERE name = $1 AND age > $2")
        #expect(query.parameters.types == [25, 20])
    }

    @Test func `keeps NULL apart from an empty value`() {
        let nothing: String? = nil

        let query: Query = "SELECT \(nothing), \("")"

        #expect(query.parameters.lengths == [Parameters.null, 0])
    }

    @Test func `takes another query in and renumbers its parameters`() {
        let condition: Query = "price = '$1' AND a = \(Int64(1)) AND b = \(Int64(2))"

        let query: Query = "SELECT 1 WHERE z = \(Int64(0)) AND \(condition) AND c = \(Int64(3))"

        #expect(query.sql == "SELECT 1 WHERE z = $1 AND price = '$1' AND a = $2 AND b = $3 AND c = $4")
        #expect(query.parameters.lengths == [8, 8, 8, 8])
    }

    @Test func `nests more than nine parameters`() {
        let inner: Query = "\(true)\(true)\(true)\(true)\(true)\(true)\(true)\(true)\(true)\(true) \(true)!"

        let query: Query = "\(false) \(inner)"

        #expect(query.sql == "$1 $2$3$4$5$6$7$8$9$10$11 $12!")
    }
}
