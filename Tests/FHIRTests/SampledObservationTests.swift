internal import Foundation
internal import JSON
internal import Testing
internal import Time

@testable internal import FHIR

@Suite struct `Samples as FHIR tells them` {
    private let id = UUID()
    private let ada = UUID()
    private let device = UUID()
    private let start = Instant(rfc3339: "2026-11-29T15:00:00.25Z")!

    private func samples(
        _ values: [Double?], every milliseconds: String? = "7.8125", _ metric: SampledObservation.Metric = .channel("ppg"), revision: Int32 = 0,
        first: Int64 = 17, step: Int64 = 1
    ) -> SampledObservation {
        SampledObservation(
            id: id, subject: ada, device: device, metric: metric, revision: revision, start: start,
            period: milliseconds.flatMap { SamplePeriod(milliseconds: $0) }, first: first, step: step, values: values)
    }

    private func read(_ text: String) throws -> Result<SampledObservation, ImportOutcome> {
        let value = try JSONParser.parse(Array(text.utf8)).resource
        #expect(SampledObservation.isTold(by: value))
        return Result { () throws(ImportOutcome) in try SampledObservation(reading: value, as: id, of: ada) }
    }

    private func data(_ members: String, besides: String = "") throws -> Result<SampledObservation, ImportOutcome> {
        try read(
            #"""
            {"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8310-5"}]},
             "effectivePeriod":{"start":"2026-11-29T15:00:00.25Z"},"device":{"reference":"urn:uuid:\#(device.uuidString)"},
             "valueSampledData":{"origin":{"value":36.5,"system":"http://unitsofmeasure.org","code":"Cel"},\#(members)}\#(besides)}
            """#)
    }

    @Test func `say what they said when they were told`() throws {
        let told = [
            samples([0, -1.5, nil, 1e-7, .leastNonzeroMagnitude, 1.7976931348623157e308]), samples([36.6, 36.7], .coded(loinc: "8310-5", unit: "Cel"), revision: 3),
            samples([1, 2, 3], every: "33.333333", first: 90, step: -30), samples([1, 2], every: "86400000"), samples([7], every: "0.001", step: 0),
            samples([7], every: nil, step: 0), samples([36.6], every: nil, .coded(loinc: "8310-5", unit: "Cel"), revision: Int32.max - 1, step: 0),
        ]

        for each in told { #expect(try read(String(decoding: each.entry, as: UTF8.self)) == .success(each)) }
    }

    @Test func `are decimals with spaces between them, from an origin on, and a lone one is a quantity`() {
        let run = String(decoding: samples([72, -0.5, nil], .coded(loinc: "8867-4", unit: "/min")).entry, as: UTF8.self)
        let lone = String(decoding: samples([72.25], every: nil, step: 0).entry, as: UTF8.self)

        let origin = #"{"value":0,"unit":"/min","system":"http://unitsofmeasure.org","code":"/min"}"#
        #expect(run.contains(#""valueSampledData":{"origin":\#(origin),"period":7.8125,"dimensions":1,"data":"72 -0.5 E"}"#))
        #expect(run.contains(#""effectivePeriod":{"start":"2026-11-29T15:00:00.250Z","end":"2026-11-29T15:00:00.265625Z"}"#))
        #expect(lone.contains(#""valueQuantity":{"value":72.25}"#) && lone.contains(#""effectiveDateTime":"2026-11-29T15:00:00.250Z""#))
        #expect(!lone.contains("SampledData"))
    }

    @Test func `of another system count from its origin by its factor, and are numbered from 0`() throws {
        let read = try data(#""period":10.0,"factor":0.5,"dimensions":1,"lowerLimit":0,"data":"0 1 E -2""#).get()

        #expect(read.values == [36.5, 37, nil, 35.5])
        #expect((0..<4).map { read.instant(at: $0) - start } == [.zero, .milliseconds(10), .milliseconds(20), .milliseconds(30)])
        #expect((read.first, read.step, read.revision) == (0, 1, 0))
        #expect(read.metric == .coded(loinc: "8310-5", unit: "Cel"))
    }

    @Test(arguments: [
        (#""period":10,"dimensions":2,"data":"1 2""#, ImportOutcome.unsupportedValue), (#""period":10,"data":"1 2""#, .malformed),
        (#""period":0,"dimensions":1,"data":"1 2""#, .malformed), (#""period":-10,"dimensions":1,"data":"1 2""#, .malformed),
        (#""period":1e300,"dimensions":1,"data":"1 2""#, .malformed), (#""period":99999999999999999999,"dimensions":1,"data":"1 2""#, .malformed),
        (#""period":0.0000000001,"dimensions":1,"data":"1 2""#, .malformed), (#""dimensions":1,"data":"1 2""#, .malformed),
        (#""period":10,"dimensions":1,"data":"1 U""#, .unsupportedValue), (#""period":10,"dimensions":1,"data":"L""#, .unsupportedValue),
        (#""period":10,"dimensions":1,"data":"E E""#, .noValue), (#""period":10,"dimensions":1,"data":" ""#, .noValue), (#""period":10,"dimensions":1"#, .noValue),
        (#""period":10,"dimensions":1,"data":"1 nan""#, .malformed), (#""period":10,"dimensions":1,"data":"0x1p3""#, .malformed),
        (#""period":10,"dimensions":1,"data":"+1""#, .malformed), (#""period":10,"dimensions":1,"data":"1,2""#, .malformed),
        (#""period":10,"dimensions":1,"data":"1e309""#, .malformed), (#""period":10,"dimensions":1,"factor":1e300,"data":"1e300""#, .malformed),
        (#""period":10,"dimensions":1,"data":["1"]"#, .malformed),
    ]) func `that are none, or cannot be kept, are skipped, and why is said`(members: String, outcome: ImportOutcome) throws {
        #expect(try data(members) == .failure(outcome))
    }

    @Test func `are bounded, and stand by themselves, and are of a device`() throws {
        func many(_ count: Int, every period: String) -> String {
            #""period":\#(period),"dimensions":1,"data":"\#(Array(repeating: "1", count: count).joined(separator: " "))""#
        }

        #expect(try data(many(SampledObservation.mostValues, every: "10")).get().values.count == SampledObservation.mostValues)
        #expect(try data(many(SampledObservation.mostValues + 1, every: "10")) == .failure(.tooLarge))
        #expect(try data(many(92, every: "86400000")) == .failure(.unsupportedTime))
        #expect(try data(many(2, every: "10"), besides: #","component":[{"code":{}}]"#) == .failure(.unsupportedValue))
        #expect(try data(many(2, every: "10"), besides: #","component":[]"#).get().values == [37.5, 37.5])
        let nobodys = samples([1, 2]).entry
        #expect(
            try read(String(decoding: nobodys, as: UTF8.self).replacing(#","device":{"reference":"\#(device.urn)"}"#, with: ""))
                == .failure(.unresolved))
    }

    @Test(arguments: [("0", "3"), ("3", "1")]) func `whose numbers do not go with their count are malformed`(first: String, last: String) throws {
        let numbers = #","identifier":[{"system":"urn:x-heartguard:first-sample","value":"\#(first)"},{"system":"urn:x-heartguard:last-sample","value":"\#(last)"}]"#
        let values = first == "0" ? "1 2 3" : "1"

        #expect(try data(#""period":10,"dimensions":1,"data":"\#(values)""#, besides: numbers) == .failure(.malformed))
    }

    /// At rates whose period is no whole number of microseconds, with times as devices write them: to the microsecond.
    @Test(arguments: [1.0, 25, 30, 60, 64, 100, 125, 128, 250, 256, 360, 500, 512, 1_000, 44_100])
    func `are where they were, by one period, thousands of them`(rate: Double) throws {
        let times = (0..<2_000).map { Int64((Double($0) * 1e6 / rate).rounded()) }
        var periods = SamplePeriodRange()
        let isRegular = times.indices.dropFirst().allSatisfy { periods.narrow(to: times[$0], behindFirst: $0) }
        let goesOn = periods.narrow(to: times[1_999] + Int64(1e6 / rate) + 4, behindFirst: 2_000)

        let roundest = try #require(periods.roundest)
        let period = try #require(SamplePeriod(milliseconds: roundest.milliseconds))

        #expect(isRegular && period == roundest)
        #expect(times.indices.allSatisfy { period.microseconds(behindFirst: $0) == times[$0] })
        // It was late by some microseconds.
        #expect(!goesOn)
    }

    @Test func `have no period if they are of one time, go back, or are more than a day apart`() {
        var periods = SamplePeriodRange()

        let faulty: [(time: Int64, index: Int)] = [(0, 1), (-1, 1), (86_400_000_001, 1), (Int64.max, 1), (7_776_000_000_001, 5_000)]

        let areTaken = faulty.map { periods.narrow(to: $0.time, behindFirst: $0.index) }
        let untouched = periods
        let isTaken = periods.narrow(to: 86_400_000_000, behindFirst: 1)

        #expect(areTaken == faulty.map { _ in false } && untouched == SamplePeriodRange())
        #expect(isTaken && periods.roundest?.milliseconds == "86400000")
    }
}
