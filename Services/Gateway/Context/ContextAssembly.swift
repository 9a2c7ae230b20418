/// Which pieces a context holds: as many as fit into a number of tokens, and none in part. It sees only how much each takes.
struct ContextAssembly: Sendable, Equatable {
    /// How many of the messages, from the newest back.
    private(set) var messages = 0
    /// Which of the memories and of the passages, in their order.
    private(set) var memories: [Int] = []
    private(set) var passages: [Int] = []
    private(set) var tokens = 0

    /// - Parameters: what each piece takes: messages from the newest back, memories and passages the best first.
    init(budget: Int, messages: [Int], memories: [Int], passages: [Int]) {
        // The newest message is what is talked about.
        take(messages, upTo: min(budget, messages.first ?? 0), of: budget)
        take(messages, upTo: budget / 2, of: budget)
        take(memories, into: \.memories, upTo: budget / 4, of: budget)
        take(passages, into: \.passages, upTo: budget / 4, of: budget)
        // What one does not need goes to the others.
        take(messages, upTo: budget, of: budget)
        take(memories, into: \.memories, upTo: budget, of: budget)
        take(passages, into: \.passages, upTo: budget, of: budget)
    }

    /// Goes on with the messages, which may come to `most` together, until one does not fit.
    private mutating func take(_ costs: [Int], upTo most: Int, of budget: Int) {
        var sum = costs.prefix(messages).reduce(0, +)
        for cost in costs.dropFirst(messages) {
            guard sum + cost <= most, tokens + cost <= budget else { return }
            sum += cost
            tokens += cost
            messages += 1
        }
    }

    /// Takes the best that fit and are not there yet.
    private mutating func take(_ costs: [Int], into taken: WritableKeyPath<Self, [Int]>, upTo most: Int, of budget: Int) {
        var sum = self[keyPath: taken].reduce(0) { $0 + costs[$1] }
        let known = Set(self[keyPath: taken])
        for (place, cost) in costs.enumerated() where !known.contains(place) {
            guard sum + cost <= most, tokens + cost <= budget else { continue }
            sum += cost
            tokens += cost
            self[keyPath: taken].append(place)
        }
        self[keyPath: taken].sort()
    }
}

/// How many tokens a text counts.
struct TokenEstimate: Sendable, Equatable {
    /// What stands around a piece.
    static let frame = 4

    let bytesPerToken: Double

    func tokens(_ text: String) -> Int {
        Int((Double(text.utf8.count) / bytesPerToken).rounded(.up)) + Self.frame
    }
}
