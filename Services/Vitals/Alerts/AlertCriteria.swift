internal import Application
internal import Time

/// When a rule's readings make an alert, and when it is over.
struct AlertCriteria: Hashable, Sendable {
    enum Condition: String, Hashable, Sendable { case above, below }

    let code: LOINCCode
    /// For a compound reading, the part that is judged.
    let component: LOINCCode?
    let condition: Condition
    let threshold: DecimalNumber
    let clearAt: DecimalNumber
    let unit: UCUMUnit
    let minSamples: Int
    let minDuration: Duration
    let cooldown: Duration

    static let maxSamples: Int32 = 100
    static let maxDurationSeconds: Int32 = 3_600
    static let maxCooldownSeconds: Int32 = 604_800

    /// Where a value lies.
    enum Side: Hashable, Sendable {
        /// At the threshold or beyond it.
        case beyond
        /// Where everything stays as it is.
        case between
        /// Where an alert is over.
        case clear
    }

    /// `nil` for what the rule does not judge: a compound reading without the part, or a value that has no form in the rule's unit.
    func side(of measurement: Measurement) -> Side? {
        guard let quantity = judged(measurement), let conversion = UnitConversion(from: quantity.unit, to: unit, of: component ?? code) else {
            return nil
        }
        let sign = condition == .above ? 1 : -1
        if conversion.compare(quantity.value, with: threshold) * sign >= 0 { return .beyond }
        return conversion.compare(quantity.value, with: clearAt) * sign <= 0 ? .clear : .between
    }

    /// The value that the rule goes by.
    func judged(_ measurement: Measurement) -> Quantity? {
        switch measurement {
        case .quantity(let quantity): component == nil ? quantity : nil
        case .components(let components): components.first { $0.code == component }?.quantity
        }
    }
}
