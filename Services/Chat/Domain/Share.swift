internal import Application
internal import Postgres

/// A share from 0 to 1 in thousandths, as `numeric(4, 3)` keeps it: how important something is, or how sure.
struct Share: Hashable, Sendable {
    let thousandths: Int

    static let half = Share(thousandths: 500)

    private init(thousandths: Int) { self.thousandths = thousandths }

    init(_ value: Double) throws(InvalidValue) {
        // NaN is not within the bounds either.
        guard (0...1).contains(value) else { throw InvalidValue(sentence: "It must be a number from 0 to 1.") }
        thousandths = Int((value * 1_000).rounded())
    }

    var value: Double { Double(thousandths) / 1_000 }
}

extension Share: PostgresCodable {
    static var postgresType: PostgresType { .numeric }

    func encode(into buffer: inout [UInt8]) {
        let digits = String(thousandths % 1_000)
        let fraction = String(repeating: "0", count: 3 - digits.count) + digits
        Numeric("\(thousandths / 1_000).\(fraction)")?.encode(into: &buffer)
    }

    init(postgres bytes: Span<UInt8>, type: PostgresType) throws(DecodingFailure) {
        let number = try Numeric(postgres: bytes, type: type)
        do throws(InvalidValue) {
            try self.init(Double(number.text) ?? .nan)
        } catch {
            throw DecodingFailure("holds a value that is no share of 1")
        }
    }
}
