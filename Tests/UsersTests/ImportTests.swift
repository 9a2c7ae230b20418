internal import Application
internal import Contracts
internal import Crypto
internal import FHIR
internal import Foundation
internal import JSON
internal import Jobs
internal import Postgres
internal import RPC
internal import Synchronization
internal import TestSupport
internal import Testing
internal import Time

@testable internal import Users

/// Who keeps what is not Users': each identity once, and the same part answered as before, as Vitals does it.
private final class Keeper: Sendable {
    private struct State {
        var kept: Set<String> = []
        var contents: [String] = []
        var last: (place: Int64, outcomes: [ImportOutcome])?
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.kept.count } }
    /// What came, in its order.
    var contents: [String] { state.withLock { $0.contents } }

    func take(_ request: ImportsV1.ImportRecordsRequest) -> [ImportOutcome] {
        state.withLock { state in
            if let last = state.last, last.place == request.place { return last.outcomes }
            state.contents += request.resources.map { String(decoding: $0.content, as: UTF8.self) }
            let outcomes = request.resources.map { state.kept.insert($0.identity).inserted ? ImportOutcome.imported : .existing }
            state.last = (request.place, outcomes)
            return outcomes
        }
    }
}

private struct Importing: Sendable {
    let imports: ImportRepository
    let keeper: Keeper
    var fuse: Fuse?
    var mostEntries = ImportBatch.mostEntries

    var jobs: ImportJobs {
        var jobs = ImportJobs(
            imports: imports,
            takers: [
                RecordTaker(types: RecordTaker.vitalsTypes) { [keeper, fuse] request in
                    try fuse?.pass()
                    let outcomes = keeper.take(request)
                    try fuse?.pass()
                    return outcomes
                }
            ], logger: quiet)
        jobs.mostEntries = mostEntries
        return jobs
    }

    func start(
        _ file: [UInt8], _ user: UserID, _ clientID: String = "client", as format: Import.Format = .bundle, source: String = "fhir"
    ) async throws -> Import {
        try await imports.start(
            ImportWish(
                clientID: ClientID(clientID), format: format, source: source, byteCount: Int64(file.count), sha256: Array(SHA256.hash(data: file))),
            of: user)
    }

    func upload(_ file: [UInt8], to job: Import, of user: UserID, by size: Int = 1 << 20) async throws -> Import {
        var job = job
        for begin in stride(from: 0, to: file.count, by: size) {
            job = try await imports.write(Array(file[begin..<min(file.count, begin + size)]), at: Int64(begin), to: job.id, of: user)
        }
        return job
    }

    /// Runs the job until the import has ended, whatever breaks it off.
    func finish(_ job: Import, of user: UserID) async throws -> Import {
        while true {
            do { try await jobs.take(ImportSubject(import: job.id, user: user.uuid)) } catch is JobFailure { continue }
            return try #require(try await imports.find(job.id, of: user))
        }
    }

    func taken(_ file: [UInt8], of user: UserID, _ clientID: String = "client", as format: Import.Format = .bundle) async throws -> Import {
        try await finish(try await upload(file, to: try await start(file, user, clientID, as: format), of: user), of: user)
    }
}

private func withImports(_ body: (Importing) async throws -> Void) async throws {
    let server = try await PostgresServer.shared
    let name = try await exportDatabase.value.database
    try await PostgresServer.withClient(server.configuration(database: name, user: "heartguard_users")) { users in
        try await body(Importing(imports: ImportRepository(postgres: users), keeper: Keeper()))
    }
}

private func sample(_ name: String) throws -> [UInt8] {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Samples/fhir/synthea-\(name).json")
    return Array(try Data(contentsOf: file))
}

private func bundle(_ resources: String...) -> [UInt8] {
    let entries = resources.map { #"{"resource":\#($0)}"# }.joined(separator: ",")
    return Array(#"{"resourceType":"Bundle","type":"collection","entry":[\#(entries)]}"#.utf8)
}

private func observation(_ id: String, of patient: String? = nil) -> String {
    let subject = patient.map { #","subject":{"reference":"\#($0)"}"# } ?? ""
    return #"{"resourceType":"Observation","id":"\#(id)"\#(subject)}"#
}

private func encounter(_ id: UUID, status: String = "finished", at day: String = "2024-05-06", hours: Int = 1) -> String {
    """
    {"resourceType":"Encounter","id":"\(id.uuidString)","status":"\(status)","class":{"code":"AMB"},"type":[{"text":"Check up"}],
     "period":{"start":"\(day)T00:00:00Z","end":"\(day)T\(hours < 10 ? "0" : "")\(hours):00:00Z"}}
    """
}

extension ImportCounts.Count {
    fileprivate func issue(_ reason: ImportOutcome) -> ImportCounts.Issue? { issues.first { $0.reason == reason } }
}

@Suite(.timeLimit(.minutes(5))) struct `An import` {
    @Test func `of Synthea counts every entry once, and adds nothing when it comes again`() async throws {
        try await withImports { importing in
            let (ada, file) = (try await makePerson(), try sample("adult"))

            let counts = try await importing.taken(file, of: ada).counts.types

            #expect(counts["Observation"] == .init(imported: 634))
            #expect(counts["MedicationRequest"] == .init(imported: 12))
            #expect(counts["Encounter"] == .init(imported: 52))
            #expect(counts["Claim"]?.issue(.notKept)?.count == 52)
            #expect(counts["Claim"]?.issue(.notKept)?.entries.count == 5)
            #expect(counts.values.reduce(0) { $0 + $1.imported + $1.existing + $1.issues.reduce(0) { $0 + $1.count } } == 1_178)
            let again = try await importing.taken(file, of: ada, "again").counts.types
            #expect(again["Observation"] == .init(existing: 634))
            #expect(again["Encounter"] == .init(existing: 52))
        }
    }

    @Test func `comes to the same wherever the work is broken off`() async throws {
        try await withImports { importing in
            let file = try sample("infant")
            var results: Set<ImportCounts> = []
            var step = 1
            while true {
                let ada = try await makePerson()
                let fuse = Fuse(step)
                let broken = Importing(imports: importing.imports, keeper: Keeper(), fuse: fuse, mostEntries: 20)
                let done = try await broken.taken(file, of: ada)
                #expect((done.state, done.place.entry, broken.keeper.count) == (.finished, 187, 119))
                results.insert(done.counts)
                guard fuse.hasBlown else { break }
                step += 1
            }
            #expect(step > 10)
            #expect(results.count == 1)
            #expect(results.first?.types["Observation"] == .init(imported: 119))
            #expect(results.first?.types["Encounter"] == .init(imported: 6))
        }
    }

    @Test func `is taken in once by any number who take it at once`() async throws {
        try await withImports { importing in
            let (ada, file) = (try await makePerson(), try sample("infant"))
            let job = try await importing.upload(file, to: try await importing.start(file, ada), of: ada)

            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 { group.addTask { _ = try await importing.finish(job, of: ada) } }
                try await group.waitForAll()
            }

            let done = try #require(try await importing.imports.find(job.id, of: ada))
            #expect(done.state == .finished)
            #expect(done.counts.types["Observation"] == .init(imported: 119))
            let visits = try await runAsAdministrator(in: exportDatabase, "SELECT count(*) FROM users.appointments WHERE user_id = '\(ada.uuid)'")
            #expect(visits == "6")
            let left = try await runAsAdministrator(in: exportDatabase, "SELECT count(*) FROM users.import_chunks WHERE user_id = '\(ada.uuid)'")
            #expect(left == "0")
        }
    }

    @Test func `comes in pieces that may be sent again, and not behind a gap`() async throws {
        try await withImports { importing in
            let (ada, file) = (try await makePerson(), bundle(observation("1")))
            let job = try await importing.start(file, ada)
            let first = try await importing.imports.write(Array(file[..<20]), at: 0, to: job.id, of: ada)

            #expect(first.receivedByteCount == 20)
            #expect(try await importing.imports.write(Array(file[..<20]), at: 0, to: job.id, of: ada).receivedByteCount == 20)
            #expect(try await importing.imports.write(Array(file[10..<30]), at: 10, to: job.id, of: ada).receivedByteCount == 30)
            await #expect(throws: ImportsError.gap(next: 30)) { try await importing.imports.write([1], at: 31, to: job.id, of: ada) }
            await #expect(throws: ImportsError.self) { try await importing.imports.write(file + [32], at: 0, to: job.id, of: ada) }
            let whole = try await importing.imports.write(Array(file[30...]), at: 30, to: job.id, of: ada)
            #expect((whole.state, whole.receivedByteCount) == (.running, Int64(file.count)))
            // Whoever did not hear the answer sends it again.
            #expect(try await importing.imports.write(Array(file[30...]), at: 30, to: job.id, of: ada).state == .running)
            #expect(try await importing.finish(whole, of: ada).counts.types["Observation"] == .init(imported: 1))
        }
    }

    @Test func `whose last bytes were kept by somebody who was killed then is checked with the last of them`() async throws {
        try await withImports { importing in
            let (ada, file) = (try await makePerson(), bundle(observation("1")))
            let job = try await importing.start(file, ada)
            try await importing.imports.postgres.execute(.append(file, at: 0, to: job.id, of: ada), identity: .user(ada.uuid))

            let told = UsersV1.ImportJob(try await importing.start(file, ada))
            #expect(told.state == .uploading)
            let rest = Array(file[Int(told.receivedByteCount)...])
            #expect(rest.count == 1)
            let whole = try await importing.imports.write(rest, at: told.receivedByteCount, to: job.id, of: ada)

            #expect(whole.state == .running)
            #expect(try await importing.finish(whole, of: ada).counts.types["Observation"] == .init(imported: 1))
        }
    }

    @Test(arguments: [(lines: 4, bytes: 1, rows: 1), (lines: 2_500, bytes: 1_000, rows: 4)])
    func `that is written in small pieces is no row a piece`(lines: Int, bytes: Int, rows: Int) async throws {
        try await withImports { importing in
            let (ada, line) = (try await makePerson(), Array((observation("1") + "\n").utf8))
            let file = Array(repeatElement(line, count: lines).joined())
            #expect(rows == (file.count + 32_999) / 33_000)
            let job = try await importing.start(file, ada, as: .lines)
            let whole = try await importing.upload(file, to: job, of: ada, by: bytes)

            let kept = try await runAsAdministrator(in: exportDatabase, "SELECT count(*) FROM users.import_chunks WHERE user_id = '\(ada.uuid)'")
            #expect(kept == "\(rows)")
            #expect(whole.state == .running)
            #expect(try await importing.finish(whole, of: ada).state == .finished)
        }
    }

    @Test func `that comes byte by byte is no row a byte, and each byte is where it was said to be`() async throws {
        try await withImports { importing in
            let (ada, file) = (try await makePerson(), bundle(observation("1"), observation("2")))
            let job = try await importing.start(file, ada)
            var upload = ImportUpload(to: importing.imports, of: ada)
            for offset in 0..<10 { try await upload.take([file[offset]], at: Int64(offset), to: job.id) }

            // What was gathered is kept before anything is said.
            do {
                try await upload.take([1], at: 12, to: job.id)
                Issue.record("A gap was taken.")
            } catch ImportsError.gap(let next) {
                #expect(next == 10)
            }
            #expect(try await importing.imports.find(job.id, of: ada)?.receivedByteCount == 10)
            // Bytes that have come are passed over, whether they are kept or gathered; what goes on behind them is not.
            for offset in 5..<file.count - 1 { try await upload.take(Array(file[offset...offset + 1]), at: Int64(offset), to: job.id) }

            let rows = try await runAsAdministrator(in: exportDatabase, "SELECT count(*) FROM users.import_chunks WHERE user_id = '\(ada.uuid)'")
            #expect(rows == "1")
            let whole = try #require(upload.job)
            #expect((whole.state, whole.receivedByteCount) == (.running, Int64(file.count)))
            #expect(try await importing.finish(whole, of: ada).counts.types["Observation"] == .init(imported: 2))
        }
    }

    @Test func `whose stream breaks off goes on behind what was kept`() async throws {
        try await withImports { importing in
            let (ada, line) = (try await makePerson(), Array((observation("1") + "\n").utf8))
            let file = Array(repeatElement(line, count: 2 * ImportUpload.mostGathered / line.count).joined())
            let job = try await importing.start(file, ada, as: .lines)
            var cut = ImportUpload(to: importing.imports, of: ada)
            for begin in stride(from: 0, to: file.count / 2 + 2_000, by: 1_000) {
                try await cut.take(Array(file[begin..<begin + 1_000]), at: Int64(begin), to: job.id)
            }

            let kept = try #require(try await importing.imports.find(job.id, of: ada)).receivedByteCount
            var next = ImportUpload(to: importing.imports, of: ada)
            for begin in stride(from: Int(kept), to: file.count, by: 1_000) {
                try await next.take(Array(file[begin..<min(begin + 1_000, file.count)]), at: Int64(begin), to: job.id)
            }

            #expect(kept >= Int64(ImportUpload.mostGathered))
            #expect(next.job?.state == .running)
            let rows = try await runAsAdministrator(in: exportDatabase, "SELECT count(*) FROM users.import_chunks WHERE user_id = '\(ada.uuid)'")
            #expect(rows == "2")
        }
    }

    @Test(arguments: [
        (#"{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"a":nul}}]}"#, "at byte 71"), ("[1]", "at byte 0"),
        (#"{"resourceType":"Bundle","type":"message"}"#, "type of the Bundle"),
        (#"{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","id":"a"}},{"resource":{"resourceType":"Patient","id":"b"}}]}"#, "second Patient"),
    ]) func `of what is no file of one person's records has failed, and says why and where`(text: String, reason: String) async throws {
        try await withImports { importing in
            let (ada, file) = (try await makePerson(), Array(text.utf8))
            let job = try await importing.start(file, ada)

            for _ in 0..<2 {
                let error = await #expect(throws: ImportsError.self) { try await importing.upload(file, to: job, of: ada) }
                #expect(error?.rpcError.message.contains(reason) == true, "\(error?.rpcError.message ?? "")")
            }

            let failed = try #require(try await importing.imports.find(job.id, of: ada))
            #expect(failed.state == .failed)
            #expect(failed.failure?.contains(reason) == true)
            #expect(failed.receivedByteCount == 0)
        }
    }

    @Test func `of other bytes than those of its digest has failed`() async throws {
        try await withImports { importing in
            let (ada, file) = (try await makePerson(), bundle(observation("1")))
            let job = try await importing.start(file, ada)
            var other = file
            other[other.count - 4] = UInt8(ascii: " ")

            await #expect(throws: ImportsError.unusable("The bytes that came are not those of the digest.")) {
                try await importing.upload(other, to: job, of: ada)
            }
        }
    }

    @Test func `is of one person, whom each resource is about`() async throws {
        try await withImports { importing in
            let ada = try await makePerson()
            let patient = #"{"resourceType":"Patient","id":"ada"}"#
            let file = bundle(
                patient, observation("1", of: "Patient/ada"), observation("2", of: "Patient/bob"), observation("3"),
                #"{"resourceType":"MedicationRequest","id":"4","subject":{"reference":"Patient/ada"},"medicationReference":{"reference":"Medication/x"}}"#)

            let done = try await importing.taken(file, of: ada)

            #expect(done.counts.types["Observation"]?.imported == 2)
            #expect(done.counts.types["Observation"]?.issue(.anotherSubject) == .init(reason: .anotherSubject, count: 1, entries: [2]))
            #expect(done.counts.types["MedicationRequest"]?.issue(.unresolved)?.entries == [4])
            #expect(done.counts.types["Patient"]?.issue(.notKept)?.count == 1)
            // Without a Patient, as in a file of Bulk Data, it is the one whom the first is about.
            let lines = [observation("5", of: "Patient/7"), observation("6", of: "Patient/8"), observation("7", of: "Patient/7")].joined(separator: "\n")
            let bulk = try await importing.taken(Array(lines.utf8), of: ada, "bulk", as: .lines)
            #expect(bulk.counts.types["Observation"]?.imported == 2)
            #expect(bulk.counts.types["Observation"]?.issue(.anotherSubject)?.entries == [1])
        }
    }

    @Test func `keeps visits that are over, with whoever is known here`() async throws {
        try await withImports { importing in
            let ada = try await makePerson()
            let (past, called, long, live) = (UUID(), UUID(), UUID(), UUID())
            let known = "01890000-0000-7000-8000-000000000001"
            let own = """
                {"resourceType":"Appointment","id":"\(called.uuidString)","status":"cancelled","appointmentType":{"text":"follow_up"},"start":"2024-05-06T10:00:00Z",
                 "end":"2024-05-06T10:30:00Z","cancelationReason":{"text":"ill"},"participant":[{"actor":{"reference":"urn:uuid:\(known)"}}]}
                """
            // By UTC it is in the year 10000, which nothing that is answered can say.
            let far = encounter(UUID(), status: "cancelled", at: "9999-12-31").replacing(":00Z", with: ":00-23:59")
            let file = bundle(
                encounter(past), own, encounter(long, hours: 13), encounter(live, status: "in-progress"), encounter(UUID(), at: "2124-05-06"), far)

            let done = try await importing.taken(file, of: ada)

            let count = try #require(done.counts.types["Encounter"])
            #expect((count.imported, count.issue(.unsupportedTime)?.entries, count.issue(.notFinal)?.entries) == (1, [2, 4, 5], [3]))
            let visits = try await AppointmentRepository(postgres: importing.imports.postgres).list(of: ada, limit: 10)
            #expect(Set(visits.map(\.id)) == [past, called])
            let visit = try #require(visits.first { $0.id == past })
            #expect((visit.status, visit.providerID, visit.reason) == (.completed, VisitImport.elsewhere, "Check up"))
            let off = try #require(visits.first { $0.id == called })
            #expect((off.status, off.appointmentType, off.cancellationReason) == (.cancelled, .followUp, "ill"))
            #expect(off.providerID.uuidString.lowercased() == known)
        }
    }

    @Test func `of what another account has exported keeps whom a visit was to`() async throws {
        try await withImports { importing in
            let ada = try await makePerson()
            let known = try #require(UUID(uuidString: "01890000-0000-7000-8000-000000000001"))
            let there = UUID()
            let visit = FHIR.Appointment(
                id: UUID(), patient: there, practitioner: known, coverage: nil, version: 1, status: .fulfilled, kind: "follow_up",
                start: Instant(rfc3339: "2024-05-06T10:00:00Z")!, end: Instant(rfc3339: "2024-05-06T10:30:00Z")!, reason: "palpitations", comment: nil,
                cancellationReason: nil)
            let patient = #"{"fullUrl":"\#(there.urn)","resource":{"resourceType":"Patient","id":"\#(there.urn.dropFirst(9))"}}"#
            let file = #"{"resourceType":"Bundle","type":"collection","entry":[\#(patient),\#(String(decoding: visit.entry, as: UTF8.self))]}"#

            let done = try await importing.taken(Array(file.utf8), of: ada)

            #expect(done.counts.types["Appointment"] == .init(imported: 1))
            let visits = try await AppointmentRepository(postgres: importing.imports.postgres).list(of: ada, limit: 10)
            #expect(visits.map(\.providerID) == [known])
        }
    }

    @Test func `of a history takes in of each resource its newest version, also where that is that it was deleted`() async throws {
        try await withImports { importing in
            let ada = try await makePerson()
            let single = Importing(imports: importing.imports, keeper: Keeper(), mostEntries: 1)
            func version(_ id: String, _ status: String, updated: String? = nil, url: String? = nil) -> String {
                let meta = updated.map { #","meta":{"lastUpdated":"\#($0)"}"# } ?? ""
                let name = url.map { #""fullUrl":"\#($0)","# } ?? ""
                return #"{\#(name)"resource":{"resourceType":"Observation","id":"\#(id)","status":"\#(status)"\#(meta)},"request":{"method":"PUT","url":"Observation/\#(id)"}}"#
            }
            func deletion(_ name: String) -> String { #"{"request":{"method":"DELETE","url":"\#(name)"}}"# }
            let entries = [
                deletion("Observation/1/_history/2"), version("2", "amended"), version("1", "final", url: "http://a/Observation/1/_history/1"),
                version("2", "final"), version("3", "final", updated: "2024-01-01T00:00:00Z"),
                version("3", "corrected", updated: "2024-01-01T00:00:01Z"), deletion("Observation/4"), version("4", "final"),
                deletion("Encounter/5"), deletion("Patient/6"),
            ]
            // The type may stand behind the entries.
            let file = #"{"resourceType":"Bundle","entry":[\#(entries.joined(separator: ","))],"type":"history"}"#

            let counts = try await single.taken(Array(file.utf8), of: ada).counts.types

            let told = single.keeper.contents
            #expect(told.count == 3)
            #expect(zip(told, ["entered-in-error", "amended", "corrected"]).allSatisfy { $0.contains($1) })
            let readings = try #require(counts["Observation"])
            #expect(readings.imported == 3)
            #expect(readings.issue(.differs)?.entries == [2, 3, 4, 7])
            // What is only called by a number may be another hospital's, and is not retracted.
            #expect(readings.issue(.enteredInError)?.entries == [6])
            #expect(counts["Encounter"]?.issue(.enteredInError)?.entries == [8])
            #expect(counts["Patient"]?.issue(.notKept)?.entries == [9])
            // The deletion is of the reading that the file's other versions are of.
            let before = #"{"resourceType":"Bundle","type":"searchset","entry":[\#(version("1", "final", url: "http://a/Observation/1"))]}"#
            #expect(try await single.taken(Array(before.utf8), of: ada, "before").counts.types["Observation"]?.existing == 1)
        }
    }

    @Test func `is one a client id, one at a time, five are kept, and it is its person's alone`() async throws {
        try await withImports { importing in
            let (ada, bob) = (try await makePerson(), try await makePerson())
            let file = bundle(observation("1"))
            let first = try await importing.start(file, ada, "1")
            #expect(try await importing.start(file, ada, "1").id == first.id)
            await #expect(throws: ImportsError.clientIDUsed) { try await importing.start(file, ada, "1", source: "other") }
            await #expect(throws: ImportsError.underWay) { try await importing.start(file, ada, "2") }
            #expect(try await importing.imports.find(first.id, of: bob) == nil)
            #expect(try await importing.imports.remove(first.id, of: bob) == false)
            await #expect(throws: ImportsError.notFound) { try await importing.imports.write(file, at: 0, to: first.id, of: bob) }
            _ = try await importing.taken(file, of: ada, "1")
            for number in 2...5 { _ = try await importing.taken(file, of: ada, "\(number)") }
            await #expect(throws: ImportsError.tooMany) { try await importing.start(file, ada, "6") }
            #expect(try await importing.imports.list(of: ada).map(\.clientID) == ["5", "4", "3", "2", "1"])

            #expect(try await importing.imports.remove(first.id, of: ada))

            #expect(try await importing.start(file, ada, "6").state == .uploading)
        }
    }

    @Test func `whose job was lost is taken up again, and one whose time is over goes`() async throws {
        try await withImports { importing in
            let (ada, file) = (try await makePerson(), bundle(observation("1")))
            let job = try await importing.upload(file, to: try await importing.start(file, ada), of: ada)

            #expect(try await importing.imports.resume(requestedBefore: .now() + .seconds(60)) >= 1)

            let events = try await runAsAdministrator(
                in: exportDatabase, "SELECT count(*) FROM users.outbox WHERE topic LIKE '%import_records%' AND payload ->> 'user' ILIKE '\(ada.uuid)'")
            #expect(events == "2")
            try await runAsAdministrator(in: exportDatabase, "UPDATE users.imports SET expires_at = clock_timestamp() WHERE user_id = '\(ada.uuid)'")
            #expect(try await importing.imports.find(job.id, of: ada) == nil)
            #expect(try await importing.start(file, ada).id != job.id)
        }
    }

    @Test func `tells a resource from others by its UUID, or by where it comes from and what it is called there`() throws {
        func identity(_ text: String, _ form: EntryReader.Form = .lines, _ source: String = "a") throws -> UUID {
            var reader = EntryReader(form)
            var bytes = Array(text.utf8)[...]
            let piece = try #require(try reader.next(in: &bytes) ?? reader.finish())
            return UUID(identifying: try BundleEntry(piece), piece.content, from: source)
        }
        let id = UUID()
        func entry(_ url: String, _ id: String) -> String {
            #"{"entry":[{"fullUrl":"\#(url)","resource":{"resourceType":"Observation","id":"\#(id)"}}]}"#
        }

        #expect(try identity(entry("urn:uuid:\(id.uuidString)", "x"), .bundle) == id)
        #expect(try identity(observation(id.uuidString)) == id)
        let one = try identity(observation("1"))
        #expect(try identity(observation("1")) == one)
        #expect(one.uuidString.dropFirst(14).first == "5")
        #expect(try identity(observation("1"), .lines, "b") != one)
        #expect(try identity(observation("2")) != one)
        #expect(try identity(entry("http://a/Observation/1", "1"), .bundle) != identity(entry("http://b/Observation/1", "1"), .bundle))
        #expect(try identity(#"{"resourceType":"Observation"}"#) != identity(#"{"resourceType":"Observation","a":1}"#))
    }
}
