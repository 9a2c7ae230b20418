extension TextIndex {
    /// All that an index holds, in flat runs, for whoever keeps it. An index made of it finds the same, and gives new terms the
    /// same numbers.
    package struct Contents: Sendable, Equatable {
        /// By number; empty for a number that is free.
        package var terms: [String] = []
        /// How many documents have each term.
        package var postingCounts: [UInt32] = []
        /// Of each term in turn, each document and how often it has the term.
        package var postings: [UInt32] = []
        /// By document: how many terms it has, each as often as it occurs.
        package var lengths: [UInt32] = []
        /// The numbers that are free; the last is given next.
        package var unusedTerms: [UInt32] = []

        package init() {}
    }

    package var contents: Contents {
        var contents = Contents()
        contents.postings.reserveCapacity(occurrences.reduce(0) { $0 + $1.count } * 2)
        for term in terms {
            contents.terms.append(term.text)
            contents.postingCounts.append(UInt32(term.postings.count))
            for posting in term.postings {
                contents.postings.append(posting.document)
                contents.postings.append(posting.frequency)
            }
        }
        contents.lengths = lengths
        contents.unusedTerms = unusedTerms
        return contents
    }

    /// - Returns: `nil` if these are no index's contents: they are held against all that a search or a change counts on.
    package init?(_ contents: Contents) {
        self.init()
        let (count, documents) = (contents.terms.count, contents.lengths.count)
        guard contents.postingCounts.count == count, contents.postings.count % 2 == 0,
            contents.postingCounts.reduce(0, { $0 + Int($1) }) == contents.postings.count / 2,
            Self.areUnused(contents.unusedTerms, in: contents.postingCounts)
        else { return nil }
        occurrences = Array(repeating: [], count: documents)
        terms.reserveCapacity(count)
        numbers.reserveCapacity(count)
        var frequencies = [Int](repeating: 0, count: documents)
        var next = 0
        for number in 0..<count {
            var term = Term(text: contents.terms[number])
            term.postings.reserveCapacity(Int(contents.postingCounts[number]))
            for place in 0..<contents.postingCounts[number] {
                let (document, frequency) = (contents.postings[next], contents.postings[next + 1])
                // A document has a term once, so often that it is found by it.
                guard document < documents, frequency > 0, occurrences[Int(document)].last?.term != UInt32(number) else { return nil }
                term.postings.append(Posting(document: document, frequency: frequency))
                // Terms come in the order of their numbers, so a document's occurrences do too.
                occurrences[Int(document)].append(Occurrence(term: UInt32(number), place: place))
                frequencies[Int(document)] += Int(frequency)
                next += 2
            }
            if !term.postings.isEmpty {
                guard numbers.updateValue(UInt32(number), forKey: term.text) == nil else { return nil }
            }
            terms.append(term)
        }
        guard frequencies.elementsEqual(contents.lengths.lazy.map(Int.init)) else { return nil }
        lengths = contents.lengths
        totalLength = frequencies.reduce(0, +)
        self.count = frequencies.count { $0 > 0 }
        unusedTerms = contents.unusedTerms
    }

    /// Whether these are the numbers of the terms that no document has, each once.
    private static func areUnused(_ numbers: [UInt32], in postingCounts: [UInt32]) -> Bool {
        var isUnused = postingCounts.map { $0 == 0 }
        guard numbers.count == isUnused.count(where: { $0 }) else { return false }
        for number in numbers {
            guard number < isUnused.count, isUnused[Int(number)] else { return false }
            isUnused[Int(number)] = false
        }
        return true
    }
}
