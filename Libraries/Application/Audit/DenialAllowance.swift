internal import FoundationEssentials
internal import RPC

/// Which denials of the running minute are put on record. Whoever is known and not let may ask again as often as they like, and the log must not
/// grow by each time: a denial that was there already within the minute is that event, and of more different ones than a person can want to make
/// nothing is said any more.
struct DenialAllowance: Sendable {
    /// What makes two denials the same.
    struct Denial: Hashable, Sendable {
        /// The session, or the program.
        let caller: String
        let method: String
        let person: UUID?
        let code: StatusCode
    }

    enum Admission: Sendable, Hashable {
        case record
        /// It is on record.
        case leaveOut
        case turnAway(retryAfter: Duration)
    }

    /// Different ones of one caller in a minute.
    static let perCaller = 600
    /// And of all callers, which bounds what is held.
    static let perMinute = 20_000

    private var minuteBegan: ContinuousClock.Instant?
    private var known: Set<Denial> = []
    private var counts: [String: Int] = [:]
    private(set) var leftOut = 0
    private(set) var turnedAway = 0

    mutating func ask(_ denial: Denial, at now: ContinuousClock.Instant) -> Admission {
        let age = minuteBegan?.duration(to: now) ?? .seconds(60)
        if age >= .seconds(60) { (minuteBegan, known, counts) = (now, [], [:]) }
        guard !known.contains(denial) else {
            leftOut += 1
            return .leaveOut
        }
        guard known.count < Self.perMinute, counts[denial.caller, default: 0] < Self.perCaller else {
            turnedAway += 1
            return .turnAway(retryAfter: .seconds(60) - age)
        }
        known.insert(denial)
        counts[denial.caller, default: 0] += 1
        return .record
    }

    /// Says that a denial could not be put on record, so that it is none of its caller's either.
    mutating func forget(_ denial: Denial) {
        // One of a minute that is over is forgotten already.
        guard known.remove(denial) != nil, let count = counts[denial.caller] else { return }
        counts[denial.caller] = count > 1 ? count - 1 : nil
    }
}
