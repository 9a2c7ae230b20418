import FoundationEssentials
import Postgres
import Schema
import TestSupport
import Testing

@testable import Audit

@Suite(.serialized) struct `A chain whose beginning is in an archive` {
    /// Lends a log with a chain of six events, and lets events leave it at any age.
    private func withChain(_ body: (AuditStand, [RecordedEvent]) async throws -> Void) async throws {
        try await withAuditDatabase { stand in
            try await stand.withRecorder { recorder in
                for number in 0..<6 { try await recorder.record(.sample(number)) }
            }
            try await stand.psql("UPDATE heartguard.audit_retention SET minimum = '0'")
            try await body(stand, try await stand.events())
        }
    }

    private func finding(_ event: RecordedEvent, _ kind: AuditFinding.Kind, at sequence: Int64) -> [AuditFinding] {
        [AuditFinding(writer: event.writer, sequence: sequence, kind: kind)]
    }

    @Test func `goes on from its base, and holds as a whole with the archive`() async throws {
        try await withChain { stand, events in
            #expect(try await stand.remove(through: [events[3].head]) == 4)

            let anchors = [events[1].head, events[3].head, events[5].head]
            let rest = try await stand.verify(anchors: anchors)
            #expect(rest.findings == [])
            #expect((rest.events, rest.chains) == (2, 1))
            let whole = try await stand.verify(anchors: anchors, archives: [Array(events[..<4])])
            #expect(whole.findings == [])
            #expect((whole.events, whole.chains) == (6, 1))
            #expect(try await stand.verify(anchors: anchors, since: "2026-11-28T21:06:40.000005Z").findings == [])
        }
    }

    @Test func `loses each event once, and what archives and the log both have is no finding`() async throws {
        try await withChain { stand, events in
            let removed = try await stand.remove(through: [events[1].head])
            #expect(removed == 2)
            #expect(try await stand.remove(through: [events[1].head]) == 0)
            #expect(try await stand.verify(archives: [Array(events[..<5]), Array(events[..<2])]).findings == [])
            #expect(try await stand.remove(through: [events[4].head]) == 3)
            #expect(try await stand.verify(archives: [Array(events[2..<5]), Array(events[..<2])]).findings == [])
            #expect(try await stand.psql("SELECT writer || ' ' || sequence || ':' || encode(hash, 'hex') FROM heartguard.audit_bases") == events[4].head.line)
        }
    }

    @Test func `goes on behind a base that was its end, and takes nothing again that was archived`() async throws {
        try await withAuditDatabase { stand in
            try await PostgresServer.withClient(stand.configuration(.users)) { postgres in
                let batch = AuditBatch([.sample(1), .sample(2)], behind: AuditChain())
                try await postgres.execute(.record(batch))
                try await stand.psql("UPDATE heartguard.audit_retention SET minimum = '0'")
                let archived = try await stand.events()
                #expect(try await stand.remove(through: [archived[1].head]) == 2)
                #expect(try await stand.verify(anchors: [archived[0].head, archived[1].head]).findings == [])

                for again in [batch, AuditBatch([.sample(3)], behind: AuditChain(writer: archived[0].writer, sequence: 1, hash: archived[0].hash))] {
                    let error = await #expect(throws: PostgresError.self) { try await postgres.execute(.record(again)) }
                    #expect(error?.sqlState == "23000")
                }
                try await postgres.execute(.record(AuditBatch([.sample(3)], behind: batch.end)))

                #expect(try await stand.verify().findings == [])
                #expect(try await stand.verify(archives: [archived]).events == 3)
            }
        }
    }

    @Test func `loses nothing that is too young, or that the archive has otherwise`() async throws {
        try await withChain { stand, events in
            let other = AuditHead(writer: events[0].writer, sequence: 4, hash: events[4].hash)
            for (ends, minimum) in [([other], "0"), ([events[3].head, other], "0"), ([events[3].head], "6 years"), ([AuditChain().head], "0")] {
                try await stand.psql("UPDATE heartguard.audit_retention SET minimum = '\(minimum)'")
                // An end at 0 asks for nothing.
                if ends[0].sequence == 0 {
                    #expect(try await stand.remove(through: ends) == 0)
                } else {
                    let error = await #expect(throws: PostgresError.self) { try await stand.remove(through: ends) }
                    #expect(error?.sqlState == "23000")
                }
                #expect(try await stand.events().count == 6)
                #expect(try await stand.psql("SELECT count(*) FROM heartguard.audit_bases") == "0")
            }
        }
    }

    @Test func `whose base was forged is found by what is behind it, by an anchor at it, or by the archive`() async throws {
        try await withChain { stand, events in
            try await stand.remove(through: [events[3].head])
            let archive = Array(events[..<4])
            func findings(after forgery: String, anchors: [AuditHead] = [], archives: [[RecordedEvent]] = []) async throws -> [AuditFinding] {
                try await stand.psql("CREATE TABLE public.log AS TABLE heartguard.audit_log; CREATE TABLE public.bases AS TABLE heartguard.audit_bases; \(forgery)")
                let findings = try await stand.verify(anchors: anchors, archives: archives).findings
                try await stand.psql(
                    """
                    DELETE FROM heartguard.audit_log; INSERT INTO heartguard.audit_log TABLE public.log; DROP TABLE public.log;
                    DELETE FROM heartguard.audit_bases; INSERT INTO heartguard.audit_bases TABLE public.bases; DROP TABLE public.bases
                    """)
                return findings
            }
            let (gone, cut) = ("DELETE FROM heartguard.audit_bases", "DELETE FROM heartguard.audit_log")
            let hash = "UPDATE heartguard.audit_bases SET hash = sha256(hash)"
            func moved(_ place: Int) -> String { "UPDATE heartguard.audit_bases SET sequence = \(place)" }

            #expect(try await findings(after: gone) == finding(events[0], .missing(through: 4), at: 1))
            #expect(try await findings(after: hash) == finding(events[0], .rewritten, at: 5))
            #expect(try await findings(after: moved(3)) == finding(events[0], .missing(through: 4), at: 4))
            // Nothing is behind it.
            #expect(try await findings(after: "\(cut); \(hash)") == [])
            #expect(try await findings(after: "\(cut); \(hash)", anchors: [events[3].head]) == finding(events[0], .rewritten, at: 4))
            #expect(try await findings(after: "\(cut); \(hash)", archives: [archive]) == finding(events[0], .rewritten, at: 4))
            #expect(try await findings(after: cut, anchors: [events[5].head]) == finding(events[0], .cut(anchored: 6), at: 5))
            // Behind all that anchors know it hides a tail that was cut, from all but the archives.
            #expect(try await findings(after: "\(cut); \(moved(9))", anchors: [events[5].head]) == [])
            #expect(try await findings(after: "\(cut); \(moved(9))", archives: [archive]) == finding(events[0], .missing(through: 9), at: 5))
            #expect(try await findings(after: "\(cut); \(gone)", archives: [archive]) == finding(events[0], .baseless, at: 5))
            #expect(try await findings(after: "SELECT 1", anchors: events.map(\.head), archives: [archive]) == [])
        }
    }

    @Test func `whose archive was changed, cut or lost is found with where`() async throws {
        try await withChain { stand, events in
            try await stand.remove(through: [events[3].head])
            let archive = Array(events[..<4])
            func findings(_ archives: [RecordedEvent]...) async throws -> [AuditFinding] { try await stand.verify(archives: archives).findings }

            #expect(try await findings(archive) == [])
            for place in 0..<4 {
                var changed = archive
                changed[place] = archive[place].edited
                #expect(try await findings(changed) == finding(events[0], .edited, at: Int64(place + 1)))
                changed.remove(at: place)
                #expect(try await findings(changed) == finding(events[0], .missing(through: Int64(place + 1)), at: Int64(place + 1)))
            }
            #expect(try await findings(archive, [archive[3].edited]) == finding(events[0], .rewritten, at: 4))
            #expect(try await findings(recorded(2)).contains(finding(events[0], .missing(through: 4), at: 1)[0]))
        }
    }
}
