internal import Foundation

/// Reads the plain formats of the sample data.
enum SampleFile {
    static func lines(of file: URL) throws -> [Substring] {
        do {
            return try String(contentsOf: file, encoding: .utf8).split { $0 == "\n" || $0 == "\r\n" }
        } catch {
            throw CommandFailure("the sample file \(file.path) cannot be read: \(error.localizedDescription)")
        }
    }

    /// The fields of a line whose fields hold no commas or quotes of their own.
    static func fields(of line: Substring) -> [String] {
        line.split(separator: ",", omittingEmptySubsequences: false).map {
            $0.trimmingCharacters(in: CharacterSet(charactersIn: "\" "))
        }
    }

    /// Microseconds since 1970 of "2014-02-03 03:42:12" or "2016-11-24 13:58:58.081000", read as UTC.
    static func microseconds(_ text: String) -> Int64? {
        let digits = text.utf8.split(whereSeparator: { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
            .map { String(decoding: $0, as: UTF8.self) }
        let numbers = digits.prefix(6).compactMap { Int($0) }
        // What is more is of another form, and what is no date might count further than a number does.
        guard numbers.count == 6, digits.count <= 7, (1...9999).contains(numbers[0]), (1...12).contains(numbers[1]), (1...31).contains(numbers[2]),
            numbers[3] <= 24, numbers[4] < 60, numbers[5] <= 60
        else { return nil }
        let days = daysSince1970(year: numbers[0], month: numbers[1], day: numbers[2])
        let seconds = Int64(days) * 86_400 + Int64(numbers[3] * 3600 + numbers[4] * 60 + numbers[5])
        let fraction = digits.count > 6 ? Int64(digits[6].padding(toLength: 6, withPad: "0", startingAt: 0)) ?? 0 : 0
        return seconds * 1_000_000 + fraction
    }

    /// The days from 1970-01-01 in the Gregorian calendar, counted in years that begin in March.
    private static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
        let marchYear = month > 2 ? year : year - 1
        let marchMonth = (month + 9) % 12
        let leapDays = marchYear / 4 - marchYear / 100 + marchYear / 400
        return marchYear * 365 + leapDays + (marchMonth * 306 + 5) / 10 + day - 1 - 719_468
    }

    /// Vectors of one dimension: for each a little-endian Int32 with the dimension, then that many Float32.
    static func vectors(in file: URL) throws -> [[Float]] {
        guard let data = try? Data(contentsOf: file) else {  // whatever the reason, the file is of no use
            throw CommandFailure("the sample file \(file.path) cannot be read.")
        }
        var vectors: [[Float]] = []
        var words = Words(data)
        while let dimension = words.next() {
            var vector: [Float] = []
            vector.reserveCapacity(Int(min(dimension, 1 << 16)))
            for _ in 0..<dimension {
                guard let bits = words.next() else { throw CommandFailure("the sample file \(file.path) ends within a vector.") }
                vector.append(Float(bitPattern: bits))
            }
            vectors.append(vector)
        }
        guard words.isAtEnd else { throw CommandFailure("the sample file \(file.path) ends within a vector.") }
        return vectors
    }

    /// Little-endian words of four bytes.
    private struct Words {
        private let bytes: [UInt8]
        private var position = 0

        init(_ data: Data) { bytes = Array(data) }

        var isAtEnd: Bool { position == bytes.count }

        mutating func next() -> UInt32? {
            guard position + 4 <= bytes.count else { return nil }
            defer { position += 4 }
            return UInt32(bytes[position]) | UInt32(bytes[position + 1]) << 8
                | UInt32(bytes[position + 2]) << 16 | UInt32(bytes[position + 3]) << 24
        }
    }
}
