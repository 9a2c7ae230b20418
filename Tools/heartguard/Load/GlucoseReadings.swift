internal import Foundation

/// The readings of one person's continuous glucose monitor. The file tells no time zone; its times are taken as UTC.
struct GlucoseReadings: Equatable, Sendable {
    struct Reading: Equatable, Sendable {
        let microsecondsSinceEpoch: Int64
        /// mg/dL, in the digits of the file.
        let value: String
    }

    let subject: String
    var readings: [Reading]

    /// One element a person, in the order of the file.
    static func read(_ file: URL) throws -> [GlucoseReadings] {
        var people: [GlucoseReadings] = []
        var places: [String: Int] = [:]
        let lines = try SampleFile.lines(of: file)
        guard let header = lines.first.map(SampleFile.fields(of:)), let id = header.firstIndex(of: "id"),
            let time = header.firstIndex(of: "time"), let value = header.firstIndex(of: "gl")
        else { throw CommandFailure("\(file.path) does not have the columns id, time and gl.") }
        for (number, line) in lines.enumerated().dropFirst() {
            let fields = SampleFile.fields(of: line)
            guard fields.count == header.count, let at = SampleFile.microseconds(fields[time]), Double(fields[value]) != nil else {
                throw CommandFailure("line \(number + 1) of \(file.path) cannot be read.")
            }
            let place = places[fields[id]] ?? people.count
            if place == people.count {
                places[fields[id]] = place
                people.append(GlucoseReadings(subject: fields[id], readings: []))
            }
            people[place].readings.append(Reading(microsecondsSinceEpoch: at, value: fields[value]))
        }
        return people
    }
}

/// A heart signal as a sensor delivered it.
struct HeartSignal: Sendable {
    struct Sample: Equatable, Sendable {
        let microsecondsSinceEpoch: Int64
        let value: Double
    }

    let samples: [Sample]

    static func read(_ file: URL) throws -> HeartSignal {
        HeartSignal(
            samples: try SampleFile.lines(of: file).enumerated().dropFirst().map { number, line in
                let fields = SampleFile.fields(of: line)
                guard fields.count == 2, let at = SampleFile.microseconds(fields[0]), let value = Double(fields[1]) else {
                    throw CommandFailure("line \(number + 1) of \(file.path) cannot be read.")
                }
                return Sample(microsecondsSinceEpoch: at, value: value)
            })
    }
}
