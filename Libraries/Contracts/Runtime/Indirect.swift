/// Keeps a value behind a reference, for a message that contains itself.
package indirect enum Indirect<Value: Sendable & Equatable>: Sendable, Equatable {
    case none
    case some(Value)

    package init(_ value: Value?) {
        self = value.map(Indirect.some) ?? .none
    }

    package var value: Value? {
        switch self {
        case .none: nil
        case .some(let value): value
        }
    }
}
