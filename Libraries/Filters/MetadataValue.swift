/// What an entry of metadata says.
///
/// Values of different types are never equal: the text "1" is not the number 1. Texts compare as Swift's strings do, by
/// the code points of their canonical form, so the two ways of writing "é" are one value.
package enum MetadataValue: Hashable, Sendable {
    case boolean(Bool)
    /// Never NaN, which would equal nothing, itself included.
    case number(Double)
    /// Microseconds since 1970.
    case time(Int64)
    case text(String)

    /// What a value is, without saying which; in the order in which values of different types are sorted.
    package enum Kind: Int, Hashable, Comparable, Sendable {
        case boolean, number, time, text

        package static func < (left: Kind, right: Kind) -> Bool { left.rawValue < right.rawValue }
    }

    package var kind: Kind {
        switch self {
        case .boolean: .boolean
        case .number: .number
        case .time: .time
        case .text: .text
        }
    }
}

extension MetadataValue: Comparable {
    package static func < (left: MetadataValue, right: MetadataValue) -> Bool {
        switch (left, right) {
        case (.boolean(let left), .boolean(let right)): !left && right
        case (.number(let left), .number(let right)): left < right
        case (.time(let left), .time(let right)): left < right
        case (.text(let left), .text(let right)): left < right
        default: left.kind < right.kind
        }
    }
}
