internal import Audit
internal import Foundation
internal import Testing
internal import TestSupport

@testable internal import HeartGuardCommand

@Suite(.timeLimit(.minutes(5))) struct `A person's own export` {
    /// What is not there after a restore, and why.
    private static let leftOut = [
        "users.push_devices": "a secret: whoever has it sends messages to the device",
        "chat.checkpoints": "says nothing without the working memory of agents, which no export tells",
        "chat.checkpoint_threads": "says nothing without the working memory of agents, which no export tells",
    ]
    /// What is another after a restore: nobody is signed in, nobody is let in, and nobody has rights that a file gives.
    private static let changed = [
        "users.sessions": ["ended_at", "end_reason"], "users.care_grants": ["revoked_at"], "users.users": ["clinician_since"],
    ]

    /// A line, but for what is another after a restore.
    private static func comparable(_ line: String) throws -> String {
        var line = line
        for column in changed[recordType(line) ?? ""] ?? [] { line.replace(try Regex(#""\#(column)":("[^"]*"|null)"#), with: "\"\(column)\":…") }
        return line
    }

    @Test func `restored into an empty cluster, is exported as it was`() async throws {
        try await withCluster { old in
            try await old.addAda()
            let told = try await old.told()
            // Every table has a row, or SQL/every_table.sql has to make one.
            let types = Set(told.compactMap(recordType))
            for line in told where line.hasPrefix(#"{"table""#) && !line.contains(#""*" :"#) && !line.contains(#""*":"#) {
                #expect(types.contains { line.contains("\"\($0)\"") }, "\(line)")
            }
            try await withCluster { new in
                let outcome = try await new.restore(wholeFile(of: told))

                let again = try await new.told()
                let expected = told.filter { Self.leftOut[recordType($0) ?? ""] == nil }
                #expect(try again.map(Self.comparable) == expected.map(Self.comparable))
                #expect(Dictionary(outcome.leftOut.map { ($0.table, $0.reason) }, uniquingKeysWith: { $1 }) == Self.leftOut)
                #expect(outcome.restored.map(\.count).reduce(0, +) == expected.count { recordType($0) ?? "chat.archived_messages" != "chat.archived_messages" })
                #expect(try await new.firstBrokenArchive() == nil)
            }
        }
    }

    @Test func `gives nobody a way in that it was not written for`() async throws {
        try await withCluster { old in
            try await old.addAda()
            let told = try await old.told().map {
                recordType($0) == "users.users" ? $0.replacing(#""role":"user""#, with: #""role":"operator""#) : $0
            }
            try await withCluster { new in
                let outcome = try await new.restore(wholeFile(of: told))

                let account = try await new.psql("SELECT role, clinician_since IS NULL, erasure_id IS NULL, password_hash FROM users.users")
                #expect(account == "user|t|t|a new one")
                #expect(try await new.psql("SELECT count(*) FROM users.sessions WHERE ended_at IS NULL") == "0")
                #expect(try await new.psql("SELECT count(*) FROM users.care_grants WHERE revoked_at IS NULL") == "0")
                #expect(try await new.psql("SELECT count(*) FROM users.outbox") == "0")
                let event = try await new.psql("SELECT user_id, actor_kind, service, method, action, resource_id FROM heartguard.audit_log")
                let (person, export) = (ada.uuidString.lowercased(), outcome.export.uuidString.lowercased())
                #expect(event == "\(person)|operator|heartguard.command|RestoreRecords|write|\(export)")
                let verified = try await new.verifiedAudit()
                #expect(verified.findings.isEmpty && verified.events == 1)
            }
        }
    }

    @Test func `that was cut or changed is refused, with the place, and nothing of it is here`() async throws {
        try await withCluster { old in
            try await old.addAda()
            let told = try await old.told()
            let lines = wholeFile(of: told)
            let reading = try #require(lines.firstIndex { $0.hasPrefix(#"{"type":"vitals.vitals""#) })
            let last = lines.count - 1
            try await withCluster { new in
                func expect(_ words: String..., of lines: some Sequence<String>) async throws {
                    let sentence = try await new.refusal(of: Array(lines))
                    for word in words { #expect(sentence.contains(word), "\(sentence)") }
                }
                /// Of a file whose manifest is right.
                func expect(_ words: String..., of change: (inout [String]) -> Void) async throws {
                    var told = told
                    change(&told)
                    let sentence = try await new.refusal(of: wholeFile(of: told))
                    for word in words { #expect(sentence.contains(word), "\(sentence)") }
                }
                try await expect("behind line \(last)", "it was cut off", of: lines.dropLast())
                try await expect("line \(reading + 1): ", "at byte", of: lines[..<reading] + [String(lines[reading].dropLast(40))])
                try await expect("something in them was changed", of: lines.map { $0.replacing(#""value":60.00"#, with: #""value":61.00"#) })
                try await expect("line \(last + 2): it is behind the manifest", of: lines + [lines[reading]])
                try await expect("2 records of vitals.vitals", "says 3", of: lines.map { $0.replacing(#""vitals.vitals":2"#, with: #""vitals.vitals":3"#) })
                try await expect("bytes are before the manifest", of: lines[..<reading] + lines[(reading + 1)...])
                try await expect("line 1: this is no export in JSON Lines", of: [#"{"resourceType":"Bundle"}"#])

                try await expect("born is no column of users.users") { told in
                    told = told.map { $0.replacing(#""birth_date""#, with: #""born""#) }
                }
                try await expect("password_hash is no column of users.users") { told in
                    told = told.map { $0.replacing(#""phone""#, with: #""password_hash""#) }.filter { !$0.contains("emergency_contacts") && !$0.contains("insurance_info") }
                }
                try await expect("this cluster has no table vitals.later") { told in
                    told = told.map { $0.replacing("vitals.vitals", with: "vitals.later") }
                }
                try await expect("line 2: the table vitals.vitals was not described before its record.") { $0.insert(String(lines[reading].dropLast()), at: 0) }
                try await expect("line \(reading + 1): the record has other columns") { $0[reading - 1].replace(#""source":"#, with: #""sauce":"#) }
                try await expect("line \(reading + 1): ", "is not of the person") { $0[reading - 1].replace(ada.uuidString.lowercased(), with: UUID().uuidString) }
                try await expect("the records were not restored", "input form") { $0[reading - 1].replace(#""sequence":1"#, with: #""sequence":"many""#) }
                try await expect("the file has no account") { told in told = told.filter { recordType($0) != "users.users" } }
                try await expectNothing(in: new)
            }
        }
    }

    @Test func `of somebody who is here, or whose address is taken, is refused`() async throws {
        try await withCluster { old in
            try await old.addAda()
            let lines = wholeFile(of: try await old.told())

            #expect(try await old.refusal(of: lines) == "\(ada.uuidString.lowercased()) is in this cluster already, and nobody is overwritten.")
            try await withCluster { new in
                try await new.psql(
                    "INSERT INTO users.users (id, email, name, password_hash) VALUES (gen_random_uuid(), 'ada@example.org', 'Another', '-')")
                #expect(try await new.refusal(of: lines) == "another account of this cluster has the e-mail address of the file.")
                #expect(try await new.psql("SELECT count(*) FROM vitals.vitals") == "0")
            }
        }
    }

    @Test func `leaves out what refers to something that is not here, and what refers to that`() async throws {
        try await withCluster { old in
            try await old.psql("INSERT INTO users.providers (id, name, specialty) VALUES ('\(ada)', 'Elsewhere', 'other')")
            try await old.addAda()
            try await old.psql("UPDATE users.appointments SET provider_id = '\(ada)'")
            let lines = wholeFile(of: try await old.told())
            try await withCluster { new in
                let outcome = try await new.restore(lines)

                let missing = outcome.leftOut.filter { Self.leftOut[$0.table] == nil }
                #expect(missing.map { "\($0.count) \($0.table)" } == ["2 users.appointments", "1 users.calendar_events"])
                #expect(missing.allSatisfy { $0.reason == "they refer to what is not in this cluster" })
            }
        }
    }

    @Test func `is tried without being restored`() async throws {
        try await withCluster { old in
            try await old.addAda()
            let lines = wholeFile(of: try await old.told())
            try await withCluster { new in
                let tried = try await new.restore(lines, isTrial: true)

                try await expectNothing(in: new)
                #expect(try await new.restore(lines).restored.map(\.count) == tried.restored.map(\.count))
            }
        }
    }

    @Test func `whose restoring is killed half-way leaves nothing, and is restored then`() async throws {
        try await withCluster { old in
            try await old.addAda()
            let lines = wholeFile(of: try await old.told())
            try await withCluster { new in
                // Some tables are filled when this one's turn comes.
                let said = try await new.killing(whoeverWaitsFor: "vectors.vector_user_memories") { try await new.refusal(of: lines) }

                #expect(said.hasPrefix("the records were not restored"))
                try await expectNothing(in: new)
                #expect(try await new.restore(lines).restored.count > 30)
            }
        }
    }

    private func expectNothing(in cluster: Cluster) async throws {
        let left = try await cluster.psql(
            """
            SELECT (SELECT count(*) FROM users.users) + (SELECT count(*) FROM vitals.vitals) + (SELECT count(*) FROM chat.chat_messages)
                 + (SELECT count(*) FROM heartguard.audit_log)
            """)
        #expect(left == "0")
    }
}
