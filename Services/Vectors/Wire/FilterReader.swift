internal import Application
internal import Contracts
internal import Filters

/// Reads a filter as the wire has it, within bounds, and notes what breaks a rule under the path of its field.
struct FilterReader {
    static let maxLevels = 16
    static let maxConditions = 256
    static let maxValues = 1_000
    /// Violations after which the rest is not read: an answer has a bound as well.
    private static let maxViolations = 16

    private var conditionCount = 0
    private var violationCount = 0

    /// - Returns: the filter, or `nil` once a violation has been noted.
    static func read(
        _ filter: VectorsV1.Filter, _ field: String, _ violations: inout FieldViolations
    ) -> Filter? {
        var reader = FilterReader()
        let read = reader.read(filter, field, level: 1, &violations)
        return reader.violationCount == 0 ? read : nil
    }

    private mutating func read(
        _ filter: VectorsV1.Filter, _ field: String, level: Int, _ violations: inout FieldViolations
    ) -> Filter? {
        guard violationCount < Self.maxViolations else { return nil }
        conditionCount += 1
        guard conditionCount <= Self.maxConditions else {
            // Said once: the whole is too large, whichever part is over.
            if conditionCount == Self.maxConditions + 1 {
                note(field, "The filter must have at most \(Self.maxConditions) conditions.", &violations)
            }
            return nil
        }
        guard level <= Self.maxLevels else {
            note(field, "The filter must have at most \(Self.maxLevels) levels.", &violations)
            return nil
        }
        switch filter.condition {
        case .allOf(let part): return list(part, "\(field).all_of", level, &violations).map(Filter.allOf)
        case .anyOf(let part): return list(part, "\(field).any_of", level, &violations).map(Filter.anyOf)
        case .noneOf(let part): return list(part, "\(field).none_of", level, &violations).map(Filter.noneOf)
        case .equals(let part): return equals(part, "\(field).equals", &violations)
        case .among(let part): return among(part, "\(field).among", &violations)
        case .range(let part): return range(part, "\(field).range", &violations)
        case .exists(let part): return key(part.key, "\(field).exists", &violations).map(Filter.exists)
        case nil:
            note(
                field, "It must be one of all_of, any_of, none_of, equals, among, range and exists.", &violations)
            return nil
        }
    }

    private mutating func list(
        _ part: VectorsV1.Filters, _ field: String, _ level: Int, _ violations: inout FieldViolations
    ) -> [Filter]? {
        guard !part.filters.isEmpty else {
            note("\(field).filters", "There must be at least one.", &violations)
            return nil
        }
        return part.filters.enumerated().compactMap { place, filter in
            read(filter, "\(field).filters[\(place)]", level: level + 1, &violations)
        }
    }

    private mutating func equals(
        _ part: VectorsV1.KeyEquals, _ field: String, _ violations: inout FieldViolations
    ) -> Filter? {
        let key = key(part.key, field, &violations)
        let value = value(part.value, "\(field).value", &violations)
        guard let key, let value else { return nil }
        return .equals(key, value)
    }

    private mutating func among(
        _ part: VectorsV1.KeyAmong, _ field: String, _ violations: inout FieldViolations
    ) -> Filter? {
        let key = key(part.key, field, &violations)
        guard (1...Self.maxValues).contains(part.values.count) else {
            note("\(field).values", "There must be 1 to 1,000 of them; there are \(part.values.count).", &violations)
            return nil
        }
        var values: [MetadataValue] = []
        for (place, given) in part.values.enumerated() {
            guard violationCount < Self.maxViolations else { break }
            guard let value = value(given, "\(field).values[\(place)]", &violations) else { continue }
            if let first = values.first, first.kind != value.kind {
                note("\(field).values[\(place)]", "It must be a \(first.kind), as those before it.", &violations)
            }
            values.append(value)
        }
        return key.map { .among($0, values) }
    }

    private mutating func range(
        _ part: VectorsV1.KeyRange, _ field: String, _ violations: inout FieldViolations
    ) -> Filter? {
        let key = key(part.key, field, &violations)
        let lower: ValueRange.Bound? =
            switch part.lower {
            case .atLeast(let bound): self.bound(bound, "\(field).at_least", &violations).map(ValueRange.Bound.included)
            case .above(let bound): self.bound(bound, "\(field).above", &violations).map(ValueRange.Bound.excluded)
            case nil: nil
            }
        let upper: ValueRange.Bound? =
            switch part.upper {
            case .atMost(let bound): self.bound(bound, "\(field).at_most", &violations).map(ValueRange.Bound.included)
            case .below(let bound): self.bound(bound, "\(field).below", &violations).map(ValueRange.Bound.excluded)
            case nil: nil
            }
        // A bound that could not be read was noted where it stands.
        guard (part.lower == nil) == (lower == nil), (part.upper == nil) == (upper == nil) else { return nil }
        guard let range = ValueRange(from: lower, to: upper) else {
            note(
                field, lower == nil ? "It must have a bound." : "Its bounds must be of one type.", &violations)
            return nil
        }
        return key.map { .range($0, range) }
    }

    private mutating func bound(
        _ given: VectorsV1.MetadataValue, _ field: String, _ violations: inout FieldViolations
    ) -> MetadataValue? {
        guard let value = value(given, field, &violations) else { return nil }
        guard value.kind != .boolean else {
            note(field, "It must be a number, a time or a text; booleans have no order.", &violations)
            return nil
        }
        return value
    }

    private mutating func key(_ key: String, _ field: String, _ violations: inout FieldViolations) -> String? {
        guard key.isEmpty else { return key }
        note("\(field).key", "It must not be empty.", &violations)
        return nil
    }

    private mutating func value(
        _ given: VectorsV1.MetadataValue?, _ field: String, _ violations: inout FieldViolations
    ) -> MetadataValue? {
        let value = violations.value(field, given ?? .init(), MetadataValue.init(checking:))
        if value == nil { violationCount += 1 }
        return value
    }

    private mutating func note(_ field: String, _ sentence: String, _ violations: inout FieldViolations) {
        violations.add(field, sentence)
        violationCount += 1
    }
}
