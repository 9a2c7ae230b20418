internal import Contracts

/// Filters as a test writes them.
extension VectorsV1.Filter {
    typealias Value = VectorsV1.MetadataValue.OneOf_Kind

    static func allOf(_ filters: [Self]) -> Self { .init(condition: .allOf(.init(filters: filters))) }
    static func anyOf(_ filters: [Self]) -> Self { .init(condition: .anyOf(.init(filters: filters))) }
    static func noneOf(_ filters: [Self]) -> Self { .init(condition: .noneOf(.init(filters: filters))) }
    static func exists(_ key: String) -> Self { .init(condition: .exists(.init(key: key))) }

    static func equals(_ key: String, _ value: Value) -> Self {
        .init(condition: .equals(.init(key: key, value: .init(kind: value))))
    }

    static func among(_ key: String, _ values: [Value]) -> Self {
        .init(condition: .among(.init(key: key, values: values.map { .init(kind: $0) })))
    }

    /// Both bounds are included.
    static func range(_ key: String, from lower: Value? = nil, to upper: Value? = nil) -> Self {
        .init(
            condition: .range(
                .init(
                    key: key, lower: lower.map { .atLeast(.init(kind: $0)) },
                    upper: upper.map { .atMost(.init(kind: $0)) })))
    }
}
