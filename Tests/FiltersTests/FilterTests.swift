internal import Filters
internal import Testing

@Suite struct `A filter` {
    private let document: [String: MetadataValue] = [
        "source": .text("go"), "year": .number(2_025), "reviewed": .boolean(true), "seen": .time(1_000_000),
    ]

    @Test(arguments: [
        (.equals("source", .text("go")), true),
        (.equals("source", .text("GO")), false),
        (.equals("year", .text("2025")), false),
        (.equals("month", .number(1)), false),
        (.among("year", [.number(2_024), .number(2_025)]), true),
        (.among("year", []), false),
        (.exists("reviewed"), true),
        (.exists("month"), false),
        (.allOf([]), true),
        (.anyOf([]), false),
        (.noneOf([]), true),
        (.noneOf([.equals("month", .number(1))]), true),
        (.allOf([.exists("source"), .noneOf([.equals("reviewed", .boolean(true))])]), false),
        (.anyOf([.exists("month"), .equals("seen", .time(1_000_000))]), true),
    ] as [(Filter, Bool)])
    func `is true or false of every document`(_ filter: Filter, _ passes: Bool) {
        #expect(filter.passes(document) == passes)
    }

    @Test(arguments: [
        (.included(.number(2_025)), nil, true),
        (.excluded(.number(2_025)), nil, false),
        (nil, .included(.number(2_025)), true),
        (nil, .excluded(.number(2_025)), false),
        (.included(.number(2_026)), .included(.number(2_024)), false),
        (.included(.text("")), nil, false),
        (.included(.boolean(false)), nil, false),
        (nil, .included(.time(.max)), false),
    ] as [(ValueRange.Bound?, ValueRange.Bound?, Bool)])
    func `with a range passes what lies within, of its type alone`(
        _ lower: ValueRange.Bound?, _ upper: ValueRange.Bound?, _ passes: Bool
    ) throws {
        let range = try #require(ValueRange(from: lower, to: upper))

        #expect(Filter.range("year", range).passes(document) == passes)
    }

    @Test func `has no range without bounds, or with bounds of two types`() {
        #expect(ValueRange(from: nil, to: nil) == nil)
        #expect(ValueRange(from: .included(.number(1)), to: .included(.text("2"))) == nil)
    }

    @Test func `takes the two zeros for one, and the two ways of writing an accent`() {
        #expect(Filter.equals("a", .number(-0.0)).passes(["a": .number(0)]))
        #expect(Filter.equals("a", .text("e\u{301}")).passes(["a": .text("é")]))
    }
}
