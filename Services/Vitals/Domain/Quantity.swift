/// A measured value.
struct Quantity: Hashable, Sendable {
    let value: DecimalNumber
    let unit: UCUMUnit
}

/// One part of a compound reading.
struct Component: Hashable, Sendable {
    let code: LOINCCode
    let quantity: Quantity
}

/// What a reading says: one value, or several parts that were taken together.
enum Measurement: Hashable, Sendable {
    case quantity(Quantity)
    case components([Component])
}
