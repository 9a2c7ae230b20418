internal import Foundation

/// An inverted index: which documents hold which terms, and how often.
///
/// It answers which documents a few words are most about, by BM25 (Robertson and Zaragoza, The Probabilistic Relevance
/// Framework, 2009). It keeps numbers only; the texts are elsewhere. Changing a document costs time in proportion to its own
/// terms, whatever else is there.
package struct TextIndex: Sendable {
    /// A document with a term.
    struct Posting: Sendable {
        var document: UInt32
        var frequency: UInt32
    }

    /// A term of a document, and where the term's postings have the document.
    struct Occurrence: Sendable {
        var term: UInt32
        var place: UInt32
    }

    struct Term: Sendable {
        var text = ""
        var postings: [Posting] = []
    }

    // Seen by the extension in TextIndexContents, and by nobody else.
    var numbers: [String: UInt32] = [:]
    var terms: [Term] = []
    var unusedTerms: [UInt32] = []
    /// By document, in the order of the terms' numbers.
    var occurrences: [[Occurrence]] = []
    /// By document: how many terms it has, each as often as it occurs.
    var lengths: [UInt32] = []
    var totalLength = 0
    /// Documents that have terms.
    package internal(set) var count = 0

    package init() {}

    /// Different terms of all documents.
    package var termCount: Int { numbers.count }

    // MARK: - Changing

    /// Enters a document or exchanges its terms, which `Terms` reads of a text. Numbers should be small and given again; a
    /// document without terms is found by none.
    package mutating func insert(_ document: Int, terms: [String]) {
        remove(document)
        var frequencies: [UInt32: UInt32] = [:]
        for term in terms { frequencies[number(of: term), default: 0] += 1 }
        guard !terms.isEmpty else { return }

        if document >= lengths.count {
            let missing = document + 1 - lengths.count
            lengths.append(contentsOf: repeatElement(0, count: missing))
            occurrences.append(contentsOf: repeatElement([], count: missing))
        }
        lengths[document] = UInt32(terms.count)
        totalLength += terms.count
        count += 1
        occurrences[document] = frequencies.keys.sorted().map { term in
            let place = UInt32(self.terms[Int(term)].postings.count)
            self.terms[Int(term)].postings.append(Posting(document: UInt32(document), frequency: frequencies[term] ?? 0))
            return Occurrence(term: term, place: place)
        }
    }

    /// Takes a document out; one that is not there is passed over.
    package mutating func remove(_ document: Int) {
        guard document < lengths.count, lengths[document] > 0 else { return }
        for occurrence in occurrences[document] { takeOut(occurrence) }
        occurrences[document] = []
        totalLength -= Int(lengths[document])
        lengths[document] = 0
        count -= 1
    }

    /// Puts the last posting in the place of one that goes.
    private mutating func takeOut(_ occurrence: Occurrence) {
        let term = Int(occurrence.term)
        let last = terms[term].postings.removeLast()
        if Int(occurrence.place) < terms[term].postings.count {
            terms[term].postings[Int(occurrence.place)] = last
            moved(Int(last.document), occurrence)
        }
        if terms[term].postings.isEmpty {
            numbers[terms[term].text] = nil
            terms[term] = Term()
            unusedTerms.append(occurrence.term)
        }
    }

    /// Notes that the postings of a term have the document somewhere else now.
    private mutating func moved(_ document: Int, _ occurrence: Occurrence) {
        var low = 0
        var high = occurrences[document].count - 1
        while low < high {
            let middle = (low + high) / 2
            if occurrences[document][middle].term < occurrence.term { low = middle + 1 } else { high = middle }
        }
        occurrences[document][low].place = occurrence.place
    }

    private mutating func number(of term: String) -> UInt32 {
        if let number = numbers[term] { return number }
        let number = unusedTerms.popLast() ?? UInt32(terms.count)
        if Int(number) == terms.count { terms.append(Term()) }
        terms[Int(number)].text = term
        numbers[term] = number
        return number
    }

    // MARK: - Searching

    /// A document that holds one of the terms, or more of them.
    package struct Match: Hashable, Sendable {
        package let document: Int
        /// Its BM25; larger is better, and always above 0.
        package let score: Float
    }

    /// What Robertson and Zaragoza, and Lucene, take when nothing is known of the texts.
    private static let k1: Float = 1.2
    private static let b: Float = 0.75

    /// The documents that the terms are most about, best first; none without terms. Of two that are equally good the lower
    /// number comes first.
    ///
    /// Costs a step for each posting of each term, and four bytes a document while it lasts.
    ///
    /// - Parameters:
    ///   - filter: Which documents may be in the answer.
    ///   - shouldStop: Asked before each term; `true` ends the search with no answer.
    package func search(
        _ terms: [String], limit: Int, where filter: ((Int) -> Bool)? = nil, shouldStop: () -> Bool = { false }
    ) -> [Match]? {
        var weights: [UInt32: Float] = [:]
        for term in terms {
            if let number = numbers[term] { weights[number, default: 0] += 1 }
        }
        guard !weights.isEmpty else { return [] }

        var found = FoundDocuments(capacity: lengths.count)
        // In the order of their numbers: the sum of the same floats in another order is another sum.
        for (term, weight) in weights.sorted(by: { $0.key < $1.key }) {
            if shouldStop() { return nil }
            add(self.terms[Int(term)].postings, weight: weight, where: filter, to: &found)
        }
        return found.best(limit)
    }

    private func add(_ postings: [Posting], weight: Float, where filter: ((Int) -> Bool)?, to found: inout FoundDocuments) {
        let rarity = weight * Self.inverseFrequency(of: postings.count, in: count) * (Self.k1 + 1)
        let flat = Self.k1 * (1 - Self.b)
        let perTerm = Self.k1 * Self.b * Float(count) / Float(totalLength)
        for posting in postings {
            let document = Int(posting.document)
            let frequency = Float(posting.frequency)
            if found.scores[document] == 0 {
                if let filter, !filter(document) { continue }
                found.documents.append(document)
            }
            found.scores[document] += rarity * frequency / (frequency + flat + perTerm * Float(lengths[document]))
        }
    }

    /// Lucene's form of the inverse document frequency, which is above 0 also for a term that every document has.
    private static func inverseFrequency(of documents: Int, in count: Int) -> Float {
        log1p((Float(count - documents) + 0.5) / (Float(documents) + 0.5))
    }
}
