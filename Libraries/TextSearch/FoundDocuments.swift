/// What a search of a `TextIndex` has met so far.
struct FoundDocuments {
    /// By document; 0 for one that was not met.
    var scores: [Float]
    var documents: [Int] = []

    init(capacity: Int) { scores = [Float](repeating: 0, count: capacity) }

    /// So many of the documents as may be, best first.
    func best(_ limit: Int) -> [TextIndex.Match] {
        var best: [TextIndex.Match] = []
        for document in documents {
            let match = TextIndex.Match(document: document, score: scores[document])
            if best.count == limit {
                guard let worst = best.last, match.precedes(worst) else { continue }
                best.removeLast()
            }
            best.insert(match, at: Self.place(of: match, in: best))
        }
        return best
    }

    private static func place(of match: TextIndex.Match, in best: [TextIndex.Match]) -> Int {
        var low = 0
        var high = best.count
        while low < high {
            let middle = (low + high) / 2
            if best[middle].precedes(match) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension TextIndex.Match {
    fileprivate func precedes(_ other: TextIndex.Match) -> Bool {
        score != other.score ? score > other.score : document < other.document
    }
}
