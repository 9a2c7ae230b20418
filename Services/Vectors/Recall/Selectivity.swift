/// How many of a collection's documents a search's filter lets pass, in classes that recall differs between.
enum Selectivity: String, Hashable, Sendable, CaseIterable {
    case noFilter = "none"
    case aboveTenth = "above_10_percent"
    case aboveHundredth = "1_to_10_percent"
    case belowHundredth = "below_1_percent"

    /// - Parameter passing: `nil` without a filter.
    init(passing: Int?, of count: Int) {
        guard let passing else {
            self = .noFilter
            return
        }
        let share = Double(passing) / Double(max(1, count))
        self = share > 0.1 ? .aboveTenth : share >= 0.01 ? .aboveHundredth : .belowHundredth
    }
}
