/// How the newest calls went, in tenths of seconds. A value that knows no clock: moments are durations since some beginning.
struct CallWindow: Sendable {
    struct Bucket: Sendable {
        var number = Int.min
        var calls = 0
        var failures = 0
        var slow = 0
    }

    /// What the newest calls say.
    struct Judgement: Sendable, Equatable {
        var calls = 0
        var failures = 0
        var slow = 0
        /// Between the first and the last bucket with a failure or a slow call.
        var span: Duration = .zero
    }

    static let bucketLength: Duration = .milliseconds(100)
    private var buckets: [Bucket]

    init(_ window: Duration) {
        buckets = Array(repeating: Bucket(), count: max(1, Int((window / Self.bucketLength).rounded(.up))))
    }

    private static func number(_ moment: Duration) -> Int { Int(moment / bucketLength) }

    mutating func record(isFailure: Bool, isSlow: Bool, at moment: Duration) {
        let number = Self.number(moment)
        let index = number % buckets.count
        if buckets[index].number != number { buckets[index] = Bucket(number: number) }
        buckets[index].calls += 1
        if isFailure { buckets[index].failures += 1 }
        if isSlow { buckets[index].slow += 1 }
    }

    /// Goes back from now until there are enough calls over enough time.
    func judge(minimumCalls: Int, minimumSpan: Duration, at moment: Duration) -> Judgement {
        let newest = Self.number(moment)
        var judgement = Judgement()
        var last: Int?
        var first: Int?
        for number in stride(from: newest, to: newest - buckets.count, by: -1) where number >= 0 {
            let bucket = buckets[number % buckets.count]
            if bucket.number == number {
                judgement.calls += bucket.calls
                judgement.failures += bucket.failures
                judgement.slow += bucket.slow
                if bucket.failures + bucket.slow > 0 {
                    if last == nil { last = number }
                    first = number
                }
            }
            let seen = Self.bucketLength * (newest - number)
            if judgement.calls >= minimumCalls, seen >= minimumSpan { break }
        }
        if let first, let last { judgement.span = Self.bucketLength * (last - first) }
        return judgement
    }
}
