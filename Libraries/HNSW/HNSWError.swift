/// Why the index refused a vector or did not finish a search.
///
/// The message is a sentence for the caller. It names positions and limits, never the components of a vector, because
/// an embedding tells about the text that it was made from.
package struct HNSWError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// A number in the configuration is outside its range.
        case invalidConfiguration
        /// `k` or `efSearch` is not positive.
        case invalidArgument
        /// The vector has another number of components than the index.
        case wrongDimension
        /// A component is NaN or infinite.
        case notFinite
        /// The vector has no direction, which cosine needs.
        case zeroLength
        /// The vector is so long that comparing it would overflow.
        case tooLong
        /// The index holds as many vectors as its slot numbers can name.
        case full
        /// There is no place for the vectors' file.
        case noFile
        /// The parts of an index that was kept do not go together.
        case inconsistent
        /// The caller's `shouldStop` asked for an end.
        case interrupted
    }

    package let code: Code
    package let message: String

    package var description: String { message }
}

extension HNSWError {
    static func invalidConfiguration(_ name: String, _ value: Int, _ range: ClosedRange<Int>) -> HNSWError {
        HNSWError(
            code: .invalidConfiguration,
            message: "\(name) is \(value); it must be between \(range.lowerBound) and \(range.upperBound).")
    }

    static func notPositive(_ name: String, _ value: Int) -> HNSWError {
        HNSWError(code: .invalidArgument, message: "\(name) is \(value); it must be at least 1.")
    }

    static func wrongDimension(_ found: Int, expected: Int) -> HNSWError {
        HNSWError(
            code: .wrongDimension,
            message: "The vector has \(found) components; this index holds vectors of \(expected).")
    }

    static func notFinite(_ position: Int) -> HNSWError {
        HNSWError(code: .notFinite, message: "Component \(position) of the vector is not a finite number.")
    }

    static let zeroLength = HNSWError(
        code: .zeroLength, message: "The vector has length zero, so it has no direction that cosine could compare.")

    static let tooLong = HNSWError(
        code: .tooLong,
        message: "The vector is too long: its squared length must stay below an eighth of the largest Float.")

    static let full = HNSWError(code: .full, message: "The index is full: it can hold \(Int32.max - 1) vectors.")

    static func noFile(in folder: String, _ number: Int32) -> HNSWError {
        HNSWError(code: .noFile, message: "No file can be made in \(folder): errno \(number).")
    }

    static func inconsistent(_ what: String) -> HNSWError {
        HNSWError(code: .inconsistent, message: "The index that was kept cannot be used: \(what)")
    }

    static let interrupted = HNSWError(
        code: .interrupted, message: "The search was asked to stop before it had finished.")
}
