package import FoundationEssentials
internal import Time

/// What is wrong with a chain, and where it begins to be.
package struct AuditFinding: Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// The event is not what was hashed.
        case edited
        /// The event before it is not what it was hashed with, or an anchor says another hash: events were written anew.
        case rewritten
        /// Events are not there in the middle of the chain, from this one on.
        case missing(through: Int64)
        /// Events are not there that an anchor knows, from this one on.
        case cut(anchored: Int64)
    }

    package let writer: UUID
    package let sequence: Int64
    package let kind: Kind

    package var description: String {
        let event = "chain \(writer.text), event \(sequence)"
        switch kind {
        case .edited: return "\(event): it was edited; its hash is not that of what it says"
        case .rewritten: return "\(event): it was written anew, or the one before it; it does not fit what is known of the chain"
        case .missing(let last) where last == sequence: return "\(event): it is missing"
        case .missing(let last): return "\(event): it and all through \(last) are missing"
        case .cut(let anchored) where sequence == 1: return "\(event): the whole chain is missing, of which an anchor knows \(anchored) events"
        case .cut(let anchored): return "\(event): the chain ends before it, and an anchor knows \(anchored) events"
        }
    }
}

/// Checks chains event by event. It is given every event of one chain in the order of their numbers, then those of the next, and keeps
/// nothing of them but the last hash; of each chain it tells the first thing that is wrong.
package struct AuditVerification: Sendable {
    fileprivate struct Walk {
        var chain: AuditChain
        var anchors: ArraySlice<AuditHead>
        var isBad = false
    }

    /// Of each writer, by sequence.
    private var anchors: [UUID: [AuditHead]]
    private let beginsAnywhere: Bool
    private var walk: Walk?
    package private(set) var findings: [AuditFinding] = []
    package private(set) var events = 0
    package private(set) var chains = 0

    /// - Parameters:
    ///   - anchors: ends that chains are known to have had.
    ///   - beginsAnywhere: whether the first event of a chain that comes is taken for the one that it begins with, since others were left out.
    package init(anchors: [AuditHead], beginsAnywhere: Bool = false) {
        self.anchors = Dictionary(grouping: Set(anchors), by: \.writer).mapValues { $0.sorted { $0.sequence < $1.sequence } }
        self.beginsAnywhere = beginsAnywhere
    }

    package mutating func take(_ event: RecordedEvent) {
        events += 1
        if walk?.chain.writer != event.writer { begin(event) }
        guard var walk, !walk.isBad else { return }
        self.walk = nil
        let kind = walk.take(event)
        if let kind {
            let sequence = if case .missing = kind { walk.chain.sequence + 1 } else { event.sequence }
            findings.append(AuditFinding(writer: event.writer, sequence: sequence, kind: kind))
            walk.isBad = true
        }
        self.walk = walk
    }

    private mutating func begin(_ event: RecordedEvent) {
        endChain()
        chains += 1
        var known = (anchors.removeValue(forKey: event.writer) ?? [])[...]
        var chain = AuditChain(writer: event.writer)
        if beginsAnywhere {
            chain = AuditChain(writer: event.writer, sequence: event.sequence - 1, hash: event.previousHash)
            known = known.drop { $0.sequence < event.sequence }
        }
        walk = Walk(chain: chain, anchors: known)
    }

    private mutating func endChain() {
        defer { walk = nil }
        guard let walk, !walk.isBad, let last = walk.anchors.last else { return }
        findings.append(
            AuditFinding(writer: last.writer, sequence: walk.chain.sequence + 1, kind: .cut(anchored: last.sequence)))
    }

    /// Ends the last chain. What is left are the newest anchors of chains of which no event came.
    package mutating func finish() -> [AuditHead] {
        endChain()
        return anchors.values.compactMap(\.last)
    }

    /// Tells what became of an anchored event whose chain did not come: nil where it stands as it should.
    package mutating func note(_ anchor: AuditHead, found hash: [UInt8]?) {
        if hash == anchor.hash { return }
        let kind: AuditFinding.Kind = hash == nil ? .cut(anchored: anchor.sequence) : .rewritten
        findings.append(AuditFinding(writer: anchor.writer, sequence: hash == nil ? 1 : anchor.sequence, kind: kind))
    }
}

extension AuditVerification.Walk {
    /// What is wrong with the next event, if anything is.
    fileprivate mutating func take(_ event: RecordedEvent) -> AuditFinding.Kind? {
        guard event.sequence == chain.sequence + 1 else { return .missing(through: event.sequence - 1) }
        var alone = AuditChain(writer: event.writer, sequence: event.sequence - 1, hash: event.previousHash)
        if event.previousHash == chain.hash { alone = chain }
        alone.append(event.event)
        guard alone.hash == event.hash else { return .edited }
        guard event.previousHash == chain.hash else { return .rewritten }
        chain = alone
        while let anchor = anchors.first, anchor.sequence == event.sequence {
            guard anchor.hash == event.hash else { return .rewritten }
            anchors.removeFirst()
        }
        return nil
    }
}
