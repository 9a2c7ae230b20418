internal import ArgumentParser
internal import Audit
internal import Foundation
internal import Time

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Checks the audit log, and writes down where its chains end.",
        subcommands: [Verify.self, Anchor.self])

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify", abstract: "Checks that no event of the audit log was changed or taken away.",
            discussion: """
                Every process that serves writes a chain of events. Of each chain the first event is named that was edited, written
                anew or is missing; a chain that ends too early, or is gone as a whole, is found by what is known of its end: from the
                durable Redis, and from the files that `heartguard audit anchor` has written and that were kept elsewhere.

                The database is read with the owner's role and found as `heartguard migrate` finds it, the durable Redis as
                `heartguard jobs` does. Ends with 0 where all holds, with 1 where something is wrong.
                """)

        @OptionGroup var options: StateOptions

        @Option(name: .customLong("anchors"), help: "A file that `heartguard audit anchor` has written. May be said several times.")
        var files: [String] = []

        @Option(help: "Check of each chain only the events from the first on that is no older than this, such as 2026-11-01T00:00:00Z.")
        var since: String?

        @Flag(help: "Do without the ends that the durable Redis keeps; a tail that was cut off is then found by files alone.")
        var withoutRedis = false

        func run() async throws {
            let since = try since.map { text in
                guard let instant = Instant(rfc3339: text) else { throw ValidationError("--since is not a time such as 2026-11-01T00:00:00Z.") }
                return instant
            }
            var anchors = try files.flatMap(AnchorFile.read)
            if !withoutRedis { anchors += try await AuditStores.heads(options) }
            let began = ContinuousClock.now
            let verification = try await AuditStores.withLog(options) { log in
                try await log.verify(anchors: anchors, since: since) { count in
                    // Beside what the command finds, which a program may read.
                    let rate = Double(count) / max(began.duration(to: .now).seconds, 0.001)
                    FileHandle.standardError.write(Data("\(count.shown) events, \(Int(rate).shown) a second\n".utf8))
                }
            }
            for finding in verification.findings { print(finding) }
            print(
                "\(verification.events.shown) events of \(verification.chains.shown) chains checked against \(anchors.count.shown) anchors in \(began.duration(to: .now).shown).")
            guard verification.findings.isEmpty else {
                throw CommandFailure("the audit log is not what was written: \(verification.findings.count.shown) chains are broken.")
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
}
