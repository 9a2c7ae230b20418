/// Values of one type from a bound up, up to a bound, or between two.
package struct ValueRange: Hashable, Sendable {
    package enum Bound: Hashable, Sendable {
        case included(MetadataValue)
        case excluded(MetadataValue)

        fileprivate var kind: MetadataValue.Kind {
            switch self {
            case .included(let value), .excluded(let value): value.kind
            }
        }
    }

    let lower: Bound?
    let upper: Bound?
    let kind: MetadataValue.Kind

    /// `nil` when there is no bound, or when two are of different types.
    package init?(from lower: Bound?, to upper: Bound?) {
        guard let kind = lower?.kind ?? upper?.kind, (upper?.kind ?? kind) == kind else { return nil }
        self.lower = lower
        self.upper = upper
        self.kind = kind
    }

    package func contains(_ value: MetadataValue) -> Bool {
        value.kind == kind && !isBelow(value) && !isAbove(value)
    }

    /// Whether a value comes before the range in the order of all values.
    func isBelow(_ value: MetadataValue) -> Bool {
        switch lower {
        case .included(let bound): value < bound
        case .excluded(let bound): value <= bound
        case nil: value.kind < kind
        }
    }

    /// Whether a value comes behind the range in the order of all values.
    func isAbove(_ value: MetadataValue) -> Bool {
        switch upper {
        case .included(let bound): value > bound
        case .excluded(let bound): value >= bound
        case nil: value.kind > kind
        }
    }
}
