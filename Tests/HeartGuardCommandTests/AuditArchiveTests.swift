internal import Audit
internal import Crypto
internal import Foundation
internal import Postgres
internal import Schema
internal import Testing
internal import Time

@testable internal import HeartGuardCommand

private let old = Instant(rfc3339: "2018-01-01T00:00:00Z")!
private let limit = Instant(rfc3339: "2020-01-01T00:00:00Z")!

@Suite(.timeLimit(.minutes(5))) struct `An archive of the audit log` {
    /// Events that are hard to write down, a microsecond apart.
    private func events(_ count: Int, at moment: Instant) -> [AuditEvent] {
        (0..<count).map { (number: Int) -> AuditEvent in
            let person: UUID? = number == 1 ? nil : UUID()
            let actor: UUID? = number == 2 ? nil : UUID()
            let program: String? = number == 3 ? nil : "a \"program\""
            let resource: UUID? = number == 4 ? UUID() : nil
            let status: Int16? = number == 5 ? nil : Int16(number % 16)
            return AuditEvent(
                occurredAt: moment + .microseconds(number), person: person, actor: actor, actorKind: .operator_, program: program,
                service: "back\\slash", method: "né\u{1}w\nline", action: .read, resource: resource, purpose: .treatment, status: status,
                trace: UUID(), request: "")
        }
    }

    /// Adds a chain of these, as a service does.
    private func add(_ events: [AuditEvent], to cluster: Cluster) async throws {
        _ = try await cluster.withClient(ServiceRole.vitals.roleName) { try await $0.execute(.record(AuditBatch(events, behind: AuditChain()))) }
    }

    private func archive(
        of cluster: Cluster, to file: URL, before: Instant = limit, batchEvents: Int = 2, isTrial: Bool = false
    ) async throws -> AuditArchiving.Outcome {
        try await cluster.withClient(ServiceRole.owner) { owner in
            try await AuditArchiving(log: AuditLog(owner), file: file, before: before, batchEvents: batchEvents).run(isTrial: isTrial)
        }
    }

    /// What the command would print: how many events were checked, and all that is wrong.
    private func checked(_ cluster: Cluster, with files: [URL] = []) async throws -> [String] {
        let readers = try files.map { try ArchiveReader($0) }
        let archived = try readers.isEmpty ? nil : ArchivedEvents(readers.map { $0.next })
        let verification = try await cluster.withClient(ServiceRole.owner) {
            try await AuditLog($0).verify(anchors: [], since: nil, archived: archived)
        }
        return ["\(verification.events) events"] + readers.compactMap(\.problem) + verification.findings.map(\.description)
    }

    private func count(in cluster: Cluster) async throws -> String { try await cluster.psql("SELECT count(*) FROM heartguard.audit_log") }

    /// Lends a log with three chains: one that is old, one that becomes young in its middle, and one that is young.
    private func withLog(_ body: (Cluster, URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }  // What is left is in the folder for such things.
        try await withCluster { cluster in
            try await add(events(7, at: old), to: cluster)
            try await add(events(3, at: old) + events(2, at: limit) + events(1, at: old), to: cluster)
            try await add(events(2, at: .now()), to: cluster)
            try await body(cluster, folder.appending(path: "archive.jsonl"))
        }
    }

    @Test func `has the old beginning of each chain, and what is left in the log holds with it and without`() async throws {
        try await withLog { cluster, file in
            let tried = try await archive(of: cluster, to: file, isTrial: true)
            #expect((tried.events, tried.chains, tried.removed) == (10, 2, 0))
            #expect(!FileManager.default.fileExists(atPath: file.path))

            let outcome = try await archive(of: cluster, to: file)

            #expect((outcome.events, outcome.chains, outcome.removed) == (10, 2, 10))
            #expect(outcome.findings == [])
            #expect(try await count(in: cluster) == "5")
            let content = try Data(contentsOf: file)
            #expect(Array(SHA256.hash(data: content)) == outcome.sha256)
            let known = try await cluster.psql("SELECT encode(sha256, 'hex'), events, chains, minimum, archived_by FROM heartguard.audit_archives")
            #expect(known == "\(SHA256.hash(data: content).hexadecimal)|10|2|6 years|heartguard_owner")
            #expect(try await checked(cluster) == ["5 events"])
            #expect(try await checked(cluster, with: [file]) == ["15 events"])
        }
    }

    @Test func `follows on another, and both are needed`() async throws {
        try await withLog { cluster, file in
            let first = file.deletingLastPathComponent().appending(path: "first.jsonl")
            _ = try await archive(of: cluster, to: first, before: old + .microseconds(2))
            let outcome = try await archive(of: cluster, to: file)

            #expect((outcome.events, outcome.removed) == (6, 6))
            #expect(try await checked(cluster, with: [file, first]) == ["15 events"])
            #expect(try await checked(cluster, with: [file]).count == 3)
            #expect(try await checked(cluster, with: [first]).count == 3)
            // What was archived already is not there to be archived again.
            let third = file.deletingLastPathComponent().appending(path: "third.jsonl")
            #expect(try await archive(of: cluster, to: third).sha256 == nil)
            #expect(!FileManager.default.fileExists(atPath: third.path))
        }
    }

    @Test func `is not written over, and the events of one that is whole go on leaving the log`() async throws {
        try await withLog { cluster, file in
            // As a kill leaves it, once before anything has left the log and once in the middle.
            let writer = try ArchiveWriter(file, before: limit)
            try await cluster.withClient(ServiceRole.owner) { owner in
                _ = try await AuditLog(owner).verify(anchors: [], since: nil, visit: { try writer.take($0) })
            }
            try writer.finish()
            #expect(try await checked(cluster, with: [file]) == ["15 events"])
            let content = try Data(contentsOf: file)
            let reader = try ArchiveReader(file)
            let first = try #require(reader.next())
            while reader.next() != nil {}
            let whole = try #require(reader.archive)
            try await cluster.withClient(ServiceRole.owner) { owner in
                _ = try await AuditLog(owner).remove(whole, through: [AuditHead(writer: first.writer, sequence: 1, hash: first.hash)])
            }
            #expect(try await checked(cluster, with: [file]) == ["15 events"])

            let other = await #expect(throws: CommandFailure.self) { try await archive(of: cluster, to: file, before: old) }
            #expect(other?.description.contains("is there already") == true)
            #expect(try await archive(of: cluster, to: file).removed == 9)
            let again = await #expect(throws: CommandFailure.self) { try await archive(of: cluster, to: file) }

            #expect(again?.description.contains("nothing that it holds is left") == true)
            #expect(try Data(contentsOf: file) == content)
            #expect(try await checked(cluster, with: [file]) == ["15 events"])
        }
    }

    @Test func `takes nothing that is too young, and overwrites nothing that is no archive`() async throws {
        try await withLog { cluster, file in
            await #expect(throws: CommandFailure.self) { try await archive(of: cluster, to: file, before: .now()) }
            #expect(!FileManager.default.fileExists(atPath: file.path))
            try Data("mine\n".utf8).write(to: file)

            await #expect(throws: CommandFailure.self) { try await archive(of: cluster, to: file) }

            #expect(try Data(contentsOf: file) == Data("mine\n".utf8))
            #expect(try await count(in: cluster) == "15")
        }
    }

    @Test func `ends before the first event of a chain that does not hold, and tells of it`() async throws {
        try await withLog { cluster, file in
            try await cluster.psql("UPDATE heartguard.audit_log SET purpose = 'PATRQT' WHERE sequence = 3")

            let outcome = try await archive(of: cluster, to: file)

            #expect((outcome.events, outcome.removed, outcome.findings.count) == (4, 4, 2))
            #expect(try await count(in: cluster) == "11")
            #expect(try await checked(cluster, with: [file]) == ["15 events"] + outcome.findings.map(\.description))
        }
    }

    @Test func `that was changed anywhere is found`() async throws {
        try await withLog { cluster, file in
            _ = try await archive(of: cluster, to: file)
            let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(String.init)
            #expect(lines.count == 12)
            func problems(_ lines: some Sequence<String>) async throws -> [String] {
                try Data(lines.map { $0 + "\n" }.joined().utf8).write(to: file)
                return try await checked(cluster, with: [file])
            }
            #expect(try await problems(lines) == ["15 events"])

            #expect(try await problems(lines.dropLast()).contains { $0.contains("it was cut off") })
            #expect(try await problems(lines + ["[]"]).contains { $0.contains("there is more behind its manifest") })
            for place in 1...10 {
                var changed = lines
                changed[place] = lines[place].replacing("TREAT", with: "PATRQT")
                let found = try await problems(changed)
                #expect(found.contains { $0.contains("it does not hold what its manifest says") } && found.contains { $0.contains("it was edited") }, "\(place)")
                changed.remove(at: place)
                #expect(try await problems(changed).contains { $0.contains("it does not hold what its manifest says") }, "\(place)")
            }
            #expect(try await problems([lines[0], lines[2], lines[1]] + lines[3...]).contains { $0.contains("not in the order of the log") })
        }
    }
}
