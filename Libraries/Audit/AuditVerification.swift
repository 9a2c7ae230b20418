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
        /// Archives hold the events before this one, and the log has neither them nor a base that stands for them.
        case baseless
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
        case .baseless: return "\(event): archives hold all before it, and the log says nothing of that any more"
        }
    }
}

/// Checks chains event by event. It is given every event of one chain in the order of their numbers, then those of the next, and keeps
/// nothing of them but the last; of each chain it tells the first thing that is wrong. A chain's base comes behind the events that it stands for.
package struct AuditVerification: Sendable {
    fileprivate struct Walk {
        var chain: AuditChain
        var anchors: ArraySlice<AuditHead>
        var isBad = false
        /// Whether archives alone have told of the last event, so that the log has to have a base there.
        var needsBase = false
    }

    /// Of each writer, by sequence.
    private var anchors: [UUID: [AuditHead]]
    private let beginsAnywhere: Bool
    private let beginsAtBases: Bool
    private var walk: Walk?
    private var last: RecordedEvent?
    package private(set) var findings: [AuditFinding] = []
    package private(set) var events = 0
    package private(set) var chains = 0

    /// - Parameters:
    ///   - anchors: ends that chains are known to have had.
    ///   - beginsAnywhere: whether the first event of a chain that comes is taken for the one that it begins with, since others were left out.
    ///   - beginsAtBases: whether a base is believed that comes before any event of its chain. Otherwise it is what the events have to lead to.
    package init(anchors: [AuditHead], beginsAnywhere: Bool = false, beginsAtBases: Bool = true) {
        self.anchors = Dictionary(grouping: Set(anchors), by: \.writer).mapValues { $0.sorted { $0.sequence < $1.sequence } }
        self.beginsAnywhere = beginsAnywhere
        self.beginsAtBases = beginsAtBases
    }

    /// Whether the chain holds through this event. One that comes twice, from an archive and from the log, is taken once.
    @discardableResult
    package mutating func take(_ event: RecordedEvent, isArchived: Bool = false) -> Bool {
        if event == last {
            if !isArchived { walk?.needsBase = false }
            return walk?.isBad == false
        }
        last = event
        events += 1
        if walk?.chain.writer != event.writer {
            // Whoever can write the log can write any number: one that has none before it, or behind it, is found and ends nothing.
            begin(beginsAnywhere ? AuditChain(writer: event.writer, sequence: event.sequence &- 1, hash: event.previousHash) : AuditChain(writer: event.writer))
        }
        guard var walk, !walk.isBad else { return false }
        self.walk = nil
        let kind = walk.take(event)
        if let kind {
            let sequence = if case .missing = kind { walk.chain.sequence + 1 } else { event.sequence }
            findings.append(AuditFinding(writer: event.writer, sequence: sequence, kind: kind))
            walk.isBad = true
        }
        walk.needsBase = isArchived
        self.walk = walk
        return kind == nil
    }

    /// Takes what stands for the events of a chain that were archived.
    package mutating func take(base: AuditHead) {
        if walk?.chain.writer != base.writer {
            begin(beginsAtBases ? AuditChain(writer: base.writer, sequence: base.sequence, hash: base.hash) : AuditChain(writer: base.writer))
        }
        guard let chain = walk?.chain, walk?.isBad == false else { return }
        walk?.needsBase = false
        if chain.sequence < base.sequence {
            fail(AuditFinding(writer: base.writer, sequence: chain.sequence + 1, kind: .missing(through: base.sequence)))
        } else if chain.hash != base.hash {
            fail(AuditFinding(writer: base.writer, sequence: base.sequence, kind: .rewritten))
        }
    }

    private mutating func begin(_ chain: AuditChain) {
        endChain()
        chains += 1
        let known = (anchors.removeValue(forKey: chain.writer) ?? []).drop { $0.sequence < chain.sequence }
        walk = Walk(chain: chain, anchors: known)
        if walk?.meetsAnchors() == false { fail(AuditFinding(writer: chain.writer, sequence: chain.sequence, kind: .rewritten)) }
    }

    private mutating func fail(_ finding: AuditFinding) {
        findings.append(finding)
        walk?.isBad = true
    }

    private mutating func endChain() {
        defer { walk = nil }
        guard let walk, !walk.isBad else { return }
        let next = walk.chain.sequence &+ 1
        if let last = walk.anchors.last {
            findings.append(AuditFinding(writer: last.writer, sequence: next, kind: .cut(anchored: last.sequence)))
        } else if walk.needsBase {
            findings.append(AuditFinding(writer: walk.chain.writer, sequence: next, kind: .baseless))
        }
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
        guard event.sequence > chain.sequence else { return .rewritten }
        guard event.sequence == chain.sequence + 1 else { return .missing(through: event.sequence - 1) }
        var alone = AuditChain(writer: event.writer, sequence: event.sequence - 1, hash: event.previousHash)
        if event.previousHash == chain.hash { alone = chain }
        alone.append(event.event)
        guard alone.hash == event.hash else { return .edited }
        guard event.previousHash == chain.hash else { return .rewritten }
        chain = alone
        return meetsAnchors() ? nil : .rewritten
    }

    /// Whether the chain has come to an event as an anchor knows it, if one does.
    fileprivate mutating func meetsAnchors() -> Bool {
        while let anchor = anchors.first, anchor.sequence == chain.sequence {
            guard anchor.hash == chain.hash else { return false }
            anchors.removeFirst()
        }
        return true
    }
}
