/// How many lines may still be written in the running second, and how many were left out before.
struct LogAllowance: Sendable {
    enum Admission: Sendable, Hashable {
        /// With the number of lines that were left out since the last one.
        case write(leftOut: Int)
        case leaveOut
    }

    private let perSecond: Int
    private var secondBegan: ContinuousClock.Instant?
    private var written = 0
    private var leftOut = 0

    init(perSecond: Int) {
        self.perSecond = perSecond
    }

    mutating func ask(at now: ContinuousClock.Instant) -> Admission {
        if let began = secondBegan, began.duration(to: now) < .seconds(1) {
            guard written < perSecond else {
                leftOut += 1
                return .leaveOut
            }
        } else {
            secondBegan = now
            written = 0
        }
        written += 1
        defer { leftOut = 0 }
        return .write(leftOut: leftOut)
    }
}
