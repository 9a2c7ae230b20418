internal import ArgumentParser
internal import Audit
internal import Foundation
internal import Time

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Checks the audit log, writes down where its chains end, and moves what is old into files.",
        subcommands: [Verify.self, Anchor.self, Archive.self])

    private static func instant(_ text: String, of option: String) throws -> Instant {
        guard let instant = Instant(rfc3339: text) ?? Instant(rfc3339: text + "T00:00:00Z") else {
            throw ValidationError("\(option) is neither a time such as 2026-11-01T00:00:00Z nor a day such as 2026-11-01.")
        }
        return instant
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify", abstract: "Checks that no event of the audit log was changed or taken away.",
            discussion: """
                Every process that serves writes a chain of events. Of each chain the first event is named that was edited, written
                anew or is missing; a chain that ends too early, or is gone as a whole, is found by what is known of its end: from the
                durable Redis, and from the files that `heartguard audit anchor` has written and that were kept elsewhere.

                A chain whose old events were archived is checked from its base on, and the base is believed. With all archives each is checked
                from its first event on: what is changed or missing in them is named, and so is a base that they do not lead to.

                The database is read with the owner's role and found as `heartguard migrate` finds it, the durable Redis as
                `heartguard jobs` does. Ends with 0 where all holds, with 1 where something is wrong.
                """)

        @OptionGroup var options: StateOptions

        @Option(name: .customLong("anchors"), help: "A file that `heartguard audit anchor` has written. May be said several times.")
        var files: [String] = []

        @Option(help: "Check of each chain only the events from the first on that is no older than this, such as 2026-11-01T00:00:00Z.")
        var since: String?

        @Option(
            name: .customLong("archive"), parsing: .upToNextOption,
            help: "The files that `heartguard audit archive` has written, all of them and in any order. What none of them holds is missing.")
        var archives: [String] = []

        @Flag(help: "Do without the ends that the durable Redis keeps; a tail that was cut off is then found by files alone.")
        var withoutRedis = false

        func validate() throws {
            if since != nil, !archives.isEmpty { throw ValidationError("--archive checks chains from their first event on, and --since does not.") }
        }

        func run() async throws {
            let since = try since.map { try AuditCommand.instant($0, of: "--since") }
            let readers = try archives.map { try ArchiveReader(URL(filePath: $0)) }
            let archived = try readers.isEmpty ? nil : ArchivedEvents(readers.map { $0.next })
            var anchors = try files.flatMap(AnchorFile.read)
            if !withoutRedis { anchors += try await AuditStores.heads(options) }
            let began = ContinuousClock.now
            let verification = try await AuditStores.withLog(options) { log in
                try await log.verify(anchors: anchors, since: since, archived: archived, progress: { count in
                    // Beside what the command finds, which a program may read.
                    let rate = Double(count) / max(began.duration(to: .now).seconds, 0.001)
                    FileHandle.standardError.say("\(count.shown) events, \(Int(rate).shown) a second")
                })
            }
            let problems = readers.compactMap(\.problem)
            for problem in problems { print(problem) }
            for finding in verification.findings { print(finding) }
            print(
                "\(verification.events.shown) events of \(verification.chains.shown) chains checked against \(anchors.count.shown) anchors in \(began.duration(to: .now).shown).")
            guard verification.findings.isEmpty, problems.isEmpty else {
                throw CommandFailure(
                    "the audit log is not what was written: \(verification.findings.count.shown) chains and \(problems.count.shown) archives are broken.")
            }
        }
    }

    struct Anchor: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "anchor", abstract: "Appends where every chain of the audit log ends now to a file.",
            discussion: """
                The ends are those that the processes have told the durable Redis. Whoever keeps the file where nobody reaches it who
                can write the database and Redis can show later that events were taken away: `heartguard audit verify --anchors FILE`.
                """)

        @OptionGroup var options: StateOptions

        @Option(name: .customLong("to"), help: "The file; made where there is none.")
        var file: String

        func run() async throws {
            let heads = try await AuditStores.heads(options)
            try AnchorFile.append(heads, to: file)
            print("\(heads.count.shown) ends appended to \(file).")
        }
    }

    struct Archive: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "archive", abstract: "Moves old events of the audit log into a file, from which they can be verified.",
            discussion: """
                Of each chain its beginning moves, up to the first event that is not old enough or does not hold. The file is written first, brought to
                the disk and read again; then its events leave the log, ten thousand at a time, and each chain goes on from its base. Whatever is killed,
                every event is in the log or in the file, and the same command goes on. No other file is overwritten.

                Events have to be older than the minimum in heartguard.audit_retention, six years unless the owner of the database says otherwise.
                Keep the file, and its SHA-256, where nobody gets to who administers the database: `heartguard audit verify --archive FILE...` checks
                the log with all archives there are. Their events are in no list of accesses any more that people see.

                The database is found as `heartguard migrate` finds it. Ends with 0 where all old events are in the file alone, with 1 where something
                is wrong.
                """)

        @OptionGroup var options: StateOptions

        @Option(help: "Move events that are older than this, such as 2020-01-01 (in UTC) or 2020-01-01T00:00:00Z.")
        var before: String

        @Option(name: .customLong("to"), help: "The file.")
        var file: String

        @Flag(help: "Count what would move, and change nothing.")
        var dryRun = false

        func run() async throws {
            let before = try AuditCommand.instant(before, of: "--before")
            let outcome = try await AuditStores.withLog(options) { log in
                try await AuditArchiving(log: log, file: URL(filePath: file), before: before).run(isTrial: dryRun)
            }
            let moved = "\(outcome.events.shown) events of \(outcome.chains.shown) chains from before \(before.rfc3339)"
            if dryRun {
                print("would move \(moved).")
            } else if let sha256 = outcome.sha256 {
                print("\(file) holds \(moved), with SHA-256 \(sha256.hexadecimal); \(outcome.removed.shown) have left the log.")
            } else {
                print("no chain begins with an event from before \(before.rfc3339); nothing has moved.")
            }
            for finding in outcome.findings { print(finding) }
            guard outcome.findings.isEmpty else {
                throw CommandFailure("the audit log is not what was written: \(outcome.findings.count.shown) chains are broken, and stay in the log from there on.")
            }
        }
    }
}
