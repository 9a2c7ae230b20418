internal import FoundationEssentials
internal import TestSupport
internal import Testing
internal import Time

@testable internal import Vitals

extension AlertCriteria {
    static func above(
        _ threshold: String, clearAt: String, samples: Int = 1, seconds: Int64 = 0, cooldown: Int64 = 0, unit: String = "/min",
        code: String = "8867-4"
    ) throws -> AlertCriteria {
        AlertCriteria(
            code: try LOINCCode(code), component: nil, condition: .above, threshold: try DecimalNumber(threshold),
            clearAt: try DecimalNumber(clearAt), unit: try UCUMUnit(unit), minSamples: samples, minDuration: .seconds(seconds),
            cooldown: .seconds(cooldown))
    }
}

/// The episodes of readings that come once a minute, as the numbers of the readings that started, fired and ended them.
private func episodes(_ values: [Int], _ criteria: AlertCriteria) throws -> [[Int?]] {
    var trace = AlertTrace()
    var places: [ReadingPlace: Int] = [:]
    for (number, value) in values.enumerated() {
        let place = ReadingPlace(at: morning + .seconds(60 * number), id: .make())
        places[place] = number
        let quantity = Quantity(value: try DecimalNumber("\(value)"), unit: try UCUMUnit("/min"))
        trace.see(place, try #require(criteria.side(of: .quantity(quantity))), by: criteria)
    }
    return trace.episodes.map { [places[$0.start], places[$0.fire], $0.clear.flatMap { places[$0] }] }
}

@Suite struct `A rule's machine` {
    @Test func `fires once and clears once over a trace that is noisy at the threshold`() throws {
        let rule = try AlertCriteria.above("120", clearAt: "110")
        let trace = [100, 119, 121, 118, 122, 119, 120, 111, 121, 117, 125, 118, 109, 111, 115, 119, 100]

        #expect(try episodes(trace, rule) == [[2, 2, 12]])
    }

    @Test func `fires at the threshold itself, and clears at the other one`() throws {
        #expect(try episodes([119, 120, 111, 110, 111, 119, 120], .above("120", clearAt: "110")) == [[1, 1, 3], [6, 6, nil]])
    }

    @Test func `waits for enough readings in a row`() throws {
        #expect(try episodes([130, 130, 100, 130, 130, 115, 130, 130, 130, 100], .above("120", clearAt: "110", samples: 3)) == [[6, 8, 9]])
    }

    @Test func `waits until they span long enough`() throws {
        #expect(try episodes([130, 130, 130, 130, 130, 100], .above("120", clearAt: "110", samples: 2, seconds: 180)) == [[0, 3, 5]])
    }

    @Test func `counts nothing during its cool-down`() throws {
        let rule = try AlertCriteria.above("120", clearAt: "110", samples: 2, cooldown: 300)

        #expect(try episodes([130, 130, 100, 130, 130, 130, 130, 130, 100], rule) == [[0, 1, 2], [6, 7, 8]])
    }

    @Test func `judges what lies below as what lies above, mirrored`() throws {
        let above = try AlertCriteria.above("120", clearAt: "110", samples: 2)
        let below = AlertCriteria(
            code: above.code, component: nil, condition: .below, threshold: try DecimalNumber("-120"), clearAt: try DecimalNumber("-110"),
            unit: above.unit, minSamples: 2, minDuration: .zero, cooldown: .zero)
        var random = SeededGenerator(seed: 7)
        let values = (0..<500).map { _ in Int.random(in: 95...135, using: &random) }

        #expect(try episodes(values, above) == episodes(values.map { -$0 }, below))
    }

    @Test func `judges a part of a compound reading, and values in other units`() throws {
        let rule = AlertCriteria(
            code: VitalSigns.bloodPressurePanel, component: VitalSigns.systolicPressure, condition: .above,
            threshold: try DecimalNumber("140"), clearAt: try DecimalNumber("130"), unit: try UCUMUnit("mm[Hg]"), minSamples: 1,
            minDuration: .zero, cooldown: .zero)
        func side(_ value: String, _ unit: String, _ code: LOINCCode = VitalSigns.systolicPressure) throws -> AlertCriteria.Side? {
            rule.side(of: .components([Component(code: code, quantity: Quantity(value: try DecimalNumber(value), unit: try UCUMUnit(unit)))]))
        }

        #expect(try side("140", "mm[Hg]") == .beyond)
        #expect(try side("18.665", "kPa") == .between)
        #expect(try side("18.66508", "kPa") == .beyond)
        #expect(try side("17.3", "kPa") == .clear)
        #expect(try side("140", "kg") == nil)
        #expect(try side("140", "mm[Hg]", VitalSigns.diastolicPressure) == nil)
    }
}
