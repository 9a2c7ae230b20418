import FoundationEssentials
import Postgres
import Schema
import TestSupport
import Testing

@testable import Audit

@Suite(.serialized) struct `The audit log` {
    private func fill(_ stand: AuditStand, _ count: Int) async throws -> AuditHead {
        try await stand.withRecorder { recorder in
            for number in 0..<count { try await recorder.record(.sample(number)) }
        }
        return try #require(try await stand.heads().first)
    }

    @Test func `shows each event that is edited or taken out, and where it is cut`() async throws {
        try await withAuditDatabase { stand in
            let head = try await fill(stand, 4)
            func findings() async throws -> [AuditFinding] { try await stand.verify(anchors: [head]).findings }
            #expect(try await findings() == [])

            try await stand.psql("CREATE TABLE public.saved AS TABLE heartguard.audit_log")
            let edits = [
                "occurred_at = occurred_at + interval '1 microsecond'", "user_id = gen_random_uuid()", "user_id = NULL", "actor_id = NULL",
                "actor_kind = 'operator'", "program = NULL", "service = 'x'", "method = 'x'", "action = 'write'",
                "resource_id = gen_random_uuid()", "purpose = 'TREAT'", "status = NULL", "trace_id = gen_random_uuid()", "request_id = ''",
                "hash = sha256(hash)", "previous_hash = sha256(hash)",
            ]
            for number in 1...4 as ClosedRange<Int64> {
                for change in edits.map({ "UPDATE heartguard.audit_log SET \($0) WHERE sequence = \(number)" }) {
                    try await stand.psql(change)
                    #expect(try await findings() == [AuditFinding(writer: head.writer, sequence: number, kind: .edited)], "\(change)")
                    try await stand.psql("DELETE FROM heartguard.audit_log; INSERT INTO heartguard.audit_log TABLE public.saved")
                }
                try await stand.psql("DELETE FROM heartguard.audit_log WHERE sequence = \(number)")
                let gone: AuditFinding.Kind = number == 4 ? .cut(anchored: 4) : .missing(through: number)
                #expect(try await findings() == [AuditFinding(writer: head.writer, sequence: number, kind: gone)])
                try await stand.psql("DELETE FROM heartguard.audit_log WHERE sequence >= \(number)")
                #expect(try await findings() == [AuditFinding(writer: head.writer, sequence: number, kind: .cut(anchored: 4))])
                try await stand.psql("DELETE FROM heartguard.audit_log; INSERT INTO heartguard.audit_log TABLE public.saved")
            }
        }
    }

    @Test func `is checked from a moment on`() async throws {
        try await withAuditDatabase { stand in
            let head = try await fill(stand, 4)
            try await stand.psql(
                "UPDATE heartguard.audit_log SET purpose = 'TREAT' WHERE sequence = 1")

            #expect(try await stand.verify(anchors: [head]).findings.count == 1)
            let part = try await stand.verify(anchors: [head], since: "2026-11-28T21:06:40.000002Z")
            #expect(part.findings == [])
            #expect(try await stand.verify(anchors: [head], since: "2030-01-01T00:00:00Z").findings == [])
        }
    }

    @Test func `takes a statement twice as once, and no second end of a chain`() async throws {
        try await withAuditDatabase { stand in
            try await PostgresServer.withClient(stand.configuration(.users)) { postgres in
                let start = AuditChain()
                let batch = AuditBatch([.sample(1), .sample(2)], behind: start)
                try await postgres.execute(.record(batch))
                try await postgres.execute(.record(batch))
                try await postgres.execute(.record(AuditBatch([.sample(3)], behind: batch.end)))

                for fork in [AuditBatch([.sample(4)], behind: start), AuditBatch([.sample(4)], behind: batch.end),
                             AuditBatch([.sample(4)], behind: AuditChain(writer: start.writer, sequence: 7, hash: start.hash))] {
                    let error = await #expect(throws: PostgresError.self) { try await postgres.execute(.record(fork)) }
                    #expect(error?.sqlState == "23000")
                }
            }

            let verification = try await stand.verify()
            #expect(verification.findings == [])
            #expect(verification.events == 3)
        }
    }

    @Test(arguments: [
        "UPDATE heartguard.audit_log SET purpose = 'TREAT'", "TRUNCATE heartguard.audit_log", "DELETE FROM heartguard.audit_bases",
        "INSERT INTO heartguard.audit_bases VALUES (gen_random_uuid(), 1, sha256(''), sha256(''))", "DELETE FROM heartguard.audit_archives",
        "UPDATE heartguard.audit_archives SET events = 1", "DELETE FROM heartguard.audit_retention",
    ])
    func `is changed by no role of ours`(statement: String) async throws {
        try await withAuditDatabase { stand in
            _ = try await fill(stand, 1)
            for role in ["heartguard_owner", "heartguard_users", "heartguard_vitals"] {
                await #expect(throws: (any Error).self, "\(role)") { try await stand.psql("SET ROLE \(role); \(statement)") }
            }
            #expect(try await stand.verify().events == 1)
        }
    }

    @Test func `loses no event to a role of ours, whatever it says that it does`() async throws {
        try await withAuditDatabase { stand in
            _ = try await fill(stand, 2)
            let person = try #require(try await stand.events().first?.event.person)
            for role in ["heartguard_users", "heartguard_vitals", "heartguard_chat", "heartguard_vectors"] {
                await #expect(throws: (any Error).self, "\(role)") { try await stand.psql("SET ROLE \(role); DELETE FROM heartguard.audit_log") }
                await #expect(throws: (any Error).self, "\(role)") { try await stand.psql("SET ROLE \(role); SELECT * FROM heartguard.audit_bases") }
                await #expect(throws: (any Error).self, "\(role)") { try await stand.psql("SET ROLE \(role); UPDATE heartguard.audit_retention SET minimum = '0'") }
            }
            try await stand.psql(
                "SET ROLE heartguard_owner; SET heartguard.task = 'audit'; SET heartguard.user_id = '\(person)'; DELETE FROM heartguard.audit_log")
            #expect(try await stand.verify().events == 2)
        }
    }
}
