internal import Foundation
internal import Testing

@testable import HeartGuardCommand

@Suite struct `A sample file` {
    @Test(arguments: [
        ("1970-01-01 00:00:00", Int64(0)),
        ("2014-02-03 03:42:12", 1_391_398_932_000_000),
        ("2016-02-29 23:59:59.5", 1_456_790_399_500_000),
        ("2016-11-24 13:58:58.081000", 1_479_995_938_081_000),
    ])
    func `has times in UTC`(text: String, microseconds: Int64) {
        #expect(SampleFile.microseconds(text) == microseconds)
    }

    @Test func `has no time where there is none`() {
        #expect(SampleFile.microseconds("yesterday") == nil)
        for text in [
            "999999999999-01-01 00:00:00", "9223372036854775807-12-31 23:59:59", "2014-13-01 00:00:00", "2014-02-03 03:42:99", "2014-02-03 03:9223372036854775807:12",
            "2014-02-03T03:42:12+02:00",
        ] {
            #expect(SampleFile.microseconds(text) == nil, "\(text)")
        }
    }

    @Test func `of glucose is read person by person`() throws {
        try withFile("""
            "","id","time","gl","diagnosis"
            "1","A",2014-02-03 03:42:12,93,"diabetic"
            "2","B",2014-02-03 03:42:12,101.5,"diabetic"
            "3","A",2014-02-03 03:47:12,95,"diabetic"

            """) { file in
            let people = try GlucoseReadings.read(file)

            #expect(people.map(\.subject) == ["A", "B"])
            #expect(people[0].readings.map(\.value) == ["93", "95"])
            #expect(people[1].readings.first?.microsecondsSinceEpoch == 1_391_398_932_000_000)
        }
    }

    @Test func `of glucose that is broken is refused with the line's number`() throws {
        try withFile("\"\",\"id\",\"time\",\"gl\"\n\"1\",\"A\",soon,93\n") { file in
            #expect(throws: CommandFailure("line 2 of \(file.path) cannot be read.")) { try GlucoseReadings.read(file) }
        }
    }

    @Test func `of vectors is read as little-endian floats`() throws {
        let bytes: [UInt8] = [2, 0, 0, 0, 0, 0, 128, 63, 0, 0, 0, 64, 1, 0, 0, 0, 0, 0, 0, 191]
        try withFile(Data(bytes)) { file in
            let vectors = try SampleFile.vectors(in: file)

            #expect(vectors == [[1, 2], [-0.5]])
        }
    }

    @Test(arguments: [[2, 0, 0, 0, 0, 0, 128, 63], [1, 0, 0, 0, 0, 0, 128, 63, 1, 0], [255, 255, 255, 255]] as [[UInt8]])
    func `of vectors that ends early is refused`(bytes: [UInt8]) throws {
        try withFile(Data(bytes)) { file in
            #expect(throws: CommandFailure.self) { try SampleFile.vectors(in: file) }
        }
    }

    @Test func `of a signal is drawn, unless it cannot be`() {
        #expect(PatientStory.line([0, 7, 3.5]) == "▁█▄")
        for values in [[], [1, 1], [0, .nan, 1], [0, .infinity], [-.greatestFiniteMagnitude, 0, .greatestFiniteMagnitude]] as [[Double]] {
            #expect(PatientStory.line(values) == "", "\(values)")
        }
    }

    private func withFile(_ text: String, _ body: (URL) throws -> Void) throws { try withFile(Data(text.utf8), body) }

    private func withFile(_ data: Data, _ body: (URL) throws -> Void) throws {
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try data.write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }  // the system clears its temporary folder
        try body(file)
    }
}
