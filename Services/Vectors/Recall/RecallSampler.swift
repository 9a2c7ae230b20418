internal import Synchronization
internal import Time

/// Repeats some of the searches that were served, exactly and on the same state of the index, and keeps how much of what is nearest they
/// had found. It has a thread of its own and a budget; no caller waits for it.
final class RecallSampler: Sendable {
    struct Kind: Hashable, Sendable {
        let collection: CollectionName
        let selectivity: Selectivity
    }

    /// More collections than this are sampled no more, so that what is kept and told has a bound.
    static let maxCollections = 200

    private let thread = ComputeThreads(name: "recall", threads: 1, maxQueued: 1)
    private let budget: Mutex<RecallBudget>
    private let isBusy = Atomic(false)
    private let kept = Mutex<[Kind: RecallRecord]>([:])

    init(budget: RecallBudget) { self.budget = Mutex(budget) }

    /// What is known, by kind.
    var records: [Kind: RecallRecord] { kept.withLock { $0 } }

    /// Whether a search is being repeated.
    var isSampling: Bool { isBusy.load(ordering: .acquiring) }

    /// Considers a search that was served for a sample.
    func offer(_ query: SearchQuery, of index: CollectionIndex) {
        guard query.nearest != nil, budget.withLock({ $0.allows(now: .now) }),
            isBusy.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
        else { return }
        let isTaken = thread.start { [self] in
            let start = ContinuousClock.now
            // A search that failed here says nothing of what was served.
            if let sample = try? index.sample(query) { add(sample, of: index.collection.name) }
            budget.withLock { $0.spend(ContinuousClock.now - start) }
            isBusy.store(false, ordering: .releasing)
        }
        if !isTaken { isBusy.store(false, ordering: .releasing) }
    }

    private func add(_ sample: RecallSample, of collection: CollectionName) {
        let kind = Kind(collection: collection, selectivity: sample.selectivity)
        kept.withLock { kept in
            let isNew = !kept.keys.contains { $0.collection == collection }
            guard !isNew || Set(kept.keys.map(\.collection)).count < Self.maxCollections else { return }
            kept[kind, default: RecallRecord()].add(sample.recall, at: .now())
        }
    }

    /// Forgets collections that are not there any more.
    func keepOnly(_ collections: Set<CollectionName>) {
        kept.withLock { kept in kept = kept.filter { collections.contains($0.key.collection) } }
    }
}
