import FoundationEssentials
import Testing

@testable import Audit

@Suite struct `Verifying chains` {
    private func findings(
        _ chains: [[RecordedEvent]], anchors: [AuditHead] = [], since: Bool = false, standing: [AuditHead] = []
    ) -> [AuditFinding] {
        var verification = AuditVerification(anchors: anchors, beginsAnywhere: since)
        for event in chains.joined() { verification.take(event) }
        for anchor in verification.finish() {
            verification.note(anchor, found: standing.first { ($0.writer, $0.sequence) == (anchor.writer, anchor.sequence) }?.hash)
        }
        return verification.findings
    }

    private func head(_ event: RecordedEvent) -> AuditHead { AuditHead(writer: event.writer, sequence: event.sequence, hash: event.hash) }

    private func edited(_ event: RecordedEvent, hashing: Bool) -> RecordedEvent {
        var other = event.event
        other.status = 7
        var chain = AuditChain(writer: event.writer, sequence: event.sequence - 1, hash: event.previousHash)
        chain.append(other)
        return RecordedEvent(
            writer: event.writer, sequence: event.sequence, event: other, previousHash: event.previousHash,
            hash: hashing ? chain.hash : event.hash)
    }

    @Test func `finds nothing where all is well`() {
        let (one, other) = (recorded(9), recorded(3))

        #expect(findings([one, other], anchors: [head(one[8]), head(one[3]), head(other[1])]) == [])
    }

    @Test(arguments: 0..<6)
    func `names each event that was edited`(index: Int) {
        var chain = recorded(6)
        chain[index] = edited(chain[index], hashing: false)

        #expect(findings([recorded(2), chain, recorded(2)]) == [AuditFinding(writer: chain[0].writer, sequence: Int64(index + 1), kind: .edited)])
    }

    @Test(arguments: 0..<5)
    func `names the event behind one that was edited with its hash`(index: Int) {
        var chain = recorded(6)
        chain[index] = edited(chain[index], hashing: true)

        #expect(findings([chain]) == [AuditFinding(writer: chain[0].writer, sequence: Int64(index + 2), kind: .rewritten)])
    }

    @Test func `finds by an anchor that a whole chain was written anew`() {
        let chain = recorded(6)
        var forged = AuditChain(writer: chain[0].writer)
        let anew = chain.map { event in
            let before = forged.hash
            var other = event.event
            other.person = nil
            forged.append(other)
            return RecordedEvent(writer: event.writer, sequence: event.sequence, event: other, previousHash: before, hash: forged.hash)
        }

        #expect(findings([anew]) == [])
        #expect(findings([anew], anchors: [head(chain[3])]) == [AuditFinding(writer: chain[0].writer, sequence: 4, kind: .rewritten)])
    }

    @Test(arguments: 0..<5)
    func `names each event that is missing before the end`(index: Int) {
        var chain = recorded(6)
        chain.remove(at: index)

        let number = Int64(index + 1)
        #expect(findings([chain]) == [AuditFinding(writer: chain[0].writer, sequence: number, kind: .missing(through: number))])
    }

    @Test func `names the first of several that are missing, and nothing behind it`() {
        var chain = recorded(9)
        chain[8] = edited(chain[8], hashing: false)
        chain.removeSubrange(2...4)

        #expect(findings([chain]) == [AuditFinding(writer: chain[0].writer, sequence: 3, kind: .missing(through: 5))])
    }

    @Test func `finds a cut tail by an anchor`() {
        let chain = recorded(6)

        #expect(
            findings([Array(chain.prefix(4)), recorded(1)], anchors: [head(chain[5]), head(chain[1])])
                == [AuditFinding(writer: chain[0].writer, sequence: 5, kind: .cut(anchored: 6))])
    }

    @Test func `finds by an anchor that a chain is gone as a whole`() {
        let chain = recorded(6)

        #expect(
            findings([recorded(2)], anchors: [head(chain[5]), head(chain[1])])
                == [AuditFinding(writer: chain[0].writer, sequence: 1, kind: .cut(anchored: 6))])
    }

    @Test(arguments: [Int64.min, .max])
    func `of a part comes to an end whatever number its first event has`(sequence: Int64) {
        let event = recorded(1)[0]
        var chain = AuditChain(writer: event.writer, sequence: sequence &- 1, hash: event.previousHash)
        if sequence == .max { chain.append(event.event) }
        let forged = RecordedEvent(
            writer: event.writer, sequence: sequence, event: event.event, previousHash: event.previousHash, hash: chain.hash)

        #expect(findings([[forged]], since: true).isEmpty == (sequence == .max))
    }

    @Test func `of a part begins where the part does`() {
        let (chain, old) = (recorded(6), recorded(3))
        let part = Array(chain.dropFirst(3))

        #expect(findings([part], anchors: [head(chain[0]), head(chain[5]), head(old[2])], since: true, standing: [head(old[2])]) == [])
        #expect(
            findings([part], anchors: [head(old[2])], since: true)
                == [AuditFinding(writer: old[0].writer, sequence: 1, kind: .cut(anchored: 3))])
    }
}
