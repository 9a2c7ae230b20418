import Foundation
import Logging
import RPC
import Synchronization
import Testing

@testable import RPC

@Suite struct `Certificates that are replaced` {
    private static let whoCalls = MethodHandler.unary(Notes.say) { _, context in
        Note(context.peerIdentity?.program ?? "nobody")
    }

    private func serverFiles(_ folder: CertificateFolder) -> TLSFiles {
        TLSFiles(
            certificateChain: folder.path("server.pem"), privateKey: folder.path("server.key"),
            trustRoots: folder.path("server-roots.pem"), callerCertificates: .optional)
    }

    private func clientTLS(_ folder: CertificateFolder, showing file: String = "client") -> ClientTLS {
        ClientTLS(
            trustRoots: folder.path("client-roots.pem"), certificateChain: folder.path("\(file).pem"),
            privateKey: folder.path("\(file).key"))
    }

    /// Waits for something that is to come soon; gives up after a time that no machine needs.
    private func eventually(_ holds: () async throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(20)
        while try await !holds() {
            try #require(ContinuousClock.now < end, "It did not come about in 20 seconds.")
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    @Test func `let an authority be exchanged under load without a failed call, and refuse the old one`() async throws {
        try await CertificateFolder.with { folder in
            let old = try Authority("old", in: folder.url)
            let new = try Authority("new", in: folder.url)
            for name in ["server", "client", "left-behind"] { try old.sign(name, uri: "spiffe://test/\(name)-old") }
            for name in ["server", "client"] { try new.sign("\(name)-next", uri: "spiffe://test/\(name)-new") }
            for file in ["server-roots.pem", "client-roots.pem"] { try folder.replace(file, with: "old.pem") }
            let log = LogLines()
            @Sendable func readings() -> Int { log.all.count { $0.contains("certificates replaced") } }

            try await withLoopback(
                [Self.whoCalls], server: { $0.tls = serverFiles(folder) }, channel: { $0.connections = 2 },
                clientTLS: clientTLS(folder), logger: log.logger
            ) { loopback in
                let leftBehind = RPCChannel(
                    target: ("127.0.0.1", loopback.port), tls: clientTLS(folder, showing: "left-behind"), logger: log.logger)
                #expect(try await leftBehind.unary(Notes.say, "") == "left-behind-old")
                let failures = Failures()
                let (answers, answersToOld) = (Counter(), Counter())
                try await withThrowingTaskGroup { group in
                    let isOver = Flag()
                    for _ in 0..<8 {
                        group.addTask {
                            while !isOver.isSet {
                                do {
                                    if try await loopback.channel.unary(Notes.say, "") == "client-old" { answersToOld.increment() }
                                    answers.increment()
                                } catch {
                                    failures.add("\(error)")
                                }
                            }
                        }
                    }
                    defer { isOver.set() }
                    try await eventually { answers.value > 100 }

                    // Both trust both, once the server and the two channels have read it.
                    for file in ["server-roots.pem", "client-roots.pem"] {
                        try folder.replace(file, with: "old.pem", "new.pem")
                    }
                    try await eventually { readings() >= 3 }
                    // Both show the new one; the files of each come one after the other.
                    for name in ["server", "client"] {
                        try folder.replace("\(name).pem", with: "\(name)-next.pem")
                        try folder.replace("\(name).key", with: "\(name)-next.key")
                    }
                    // Each of the two connections, which take turns.
                    try await eventually {
                        let (before, toOld) = (answers.value, answersToOld.value)
                        try await eventually { answers.value > before + 100 }
                        return answersToOld.value == toOld
                    }
                    #expect(try await leftBehind.unary(Notes.say, "") == "left-behind-old")
                    // The server trusts the new one alone, then the client does.
                    try folder.replace("server-roots.pem", with: "new.pem")
                    try await eventually {
                        do { return try await leftBehind.unary(Notes.say, "") == "never" } catch { return true }
                    }
                    let read = readings()
                    try folder.replace("client-roots.pem", with: "new.pem")
                    try await eventually { readings() >= read + 2 }
                    let soFar = answers.value
                    try await eventually { answers.value > soFar + 100 }
                }

                #expect(failures.all == [])
                let error = await #expect(throws: RPCError.self) { try await leftBehind.unary(Notes.say, "") }
                #expect(error?.code == .unavailable)
                await leftBehind.close()
            }
        }
    }

    @Test func `end the calls of a client that is no longer trusted`() async throws {
        try await CertificateFolder.with { folder in
            let old = try Authority("old", in: folder.url)
            try old.sign("server")
            try old.sign("client", uri: "spiffe://test/client")
            _ = try Authority("new", in: folder.url)
            for file in ["server-roots.pem", "client-roots.pem"] { try folder.replace(file, with: "old.pem") }
            let hasBegun = Signal()
            let sleeping = MethodHandler.unary(Notes.say) { note, _ in
                hasBegun.fire()
                try await Task.sleep(for: .seconds(60))
                return note
            }

            let error = try await withLoopback(
                [sleeping], server: { $0.tls = serverFiles(folder) }, clientTLS: clientTLS(folder)
            ) { loopback in
                let call = Task { try await loopback.channel.unary(Notes.say, "") }
                await hasBegun.wait()
                try folder.replace("server-roots.pem", with: "new.pem")
                return await #expect(throws: RPCError.self) { try await call.value }
            }

            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("no longer trusted") == true)
        }
    }

    @Test func `make a client leave a server that it no longer trusts`() async throws {
        try await CertificateFolder.with { folder in
            let old = try Authority("old", in: folder.url)
            try old.sign("server")
            try old.sign("client", uri: "spiffe://test/client")
            _ = try Authority("new", in: folder.url)
            for file in ["server-roots.pem", "client-roots.pem"] { try folder.replace(file, with: "old.pem") }

            try await withLoopback(
                [Self.whoCalls], server: { $0.tls = serverFiles(folder) }, clientTLS: clientTLS(folder)
            ) { loopback in
                #expect(try await loopback.channel.unary(Notes.say, "") == "client")

                try folder.replace("client-roots.pem", with: "new.pem")

                try await eventually {
                    do { return try await loopback.channel.unary(Notes.say, "") == "never" } catch { return true }
                }
            }
        }
    }

    @Test(arguments: ["no certificate at all", "another's key", "nothing"])
    func `by something broken stay in use, and the log says why, once`(fault: String) async throws {
        try await CertificateFolder.with { folder in
            let authority = try Authority("old", in: folder.url)
            for name in ["server", "other", "next"] { try authority.sign(name) }
            let log = LogLines()
            let credentials = TLSCredentials(
                TLSFiles(certificateChain: folder.path("server.pem"), privateKey: folder.path("server.key")),
                logger: log.logger)

            switch fault {
            case "another's key": try folder.replace("server.key", with: "other.key")
            case "nothing": try FileManager.default.removeItem(at: folder.url.appending(path: "server.pem"))
            default: try folder.write("rubbish", to: "server.pem")
            }
            for _ in 0..<4 { #expect(credentials.refresh() == nil) }

            #expect(try credentials.current.generation == 0)
            #expect(log.all.count == 1)
            #expect(log.all.first?.hasPrefix("error changed certificates refused") == true)

            // And what is whole again is taken.
            try folder.replace("server.pem", with: "next.pem")
            try folder.replace("server.key", with: "next.key")
            #expect(credentials.refresh() != nil)
            #expect(try credentials.current.generation == 1)
            #expect(log.all.count == 2)
        }
    }

    @Test func `one after the other are taken when the last is there, without a complaint`() async throws {
        try await CertificateFolder.with { folder in
            let authority = try Authority("old", in: folder.url)
            for name in ["server", "next"] { try authority.sign(name) }
            let log = LogLines()
            let credentials = TLSCredentials(
                TLSFiles(certificateChain: folder.path("server.pem"), privateKey: folder.path("server.key")),
                logger: log.logger)

            try folder.replace("server.pem", with: "next.pem")
            #expect(credentials.refresh() == nil)
            try folder.replace("server.key", with: "next.key")
            #expect(credentials.refresh() != nil)

            #expect(log.all.map { $0.prefix(28) } == ["notice certificates replaced"])
        }
    }

    @Test func `let a channel recover whose files were of no use at first`() async throws {
        try await CertificateFolder.with { folder in
            let authority = try Authority("old", in: folder.url)
            try authority.sign("server")
            try authority.sign("client")
            try folder.replace("server-roots.pem", with: "old.pem")

            try await withLoopback(
                [Self.whoCalls], server: { $0.tls = serverFiles(folder) }, clientTLS: clientTLS(folder)
            ) { loopback in
                let error = await #expect(throws: RPCError.self) { try await loopback.channel.unary(Notes.say, "") }
                #expect(error?.message.contains("client-roots.pem cannot be opened") == true)

                try folder.replace("client-roots.pem", with: "old.pem")

                try await eventually {
                    do { return try await loopback.channel.unary(Notes.say, "") == "nobody" } catch { return false }
                }
            }
        }
    }
}

private final class Failures: Sendable {
    private let sentences = Mutex<[String]>([])

    var all: [String] { sentences.withLock { $0 } }

    func add(_ sentence: String) { sentences.withLock { $0.append(sentence) } }
}

/// Is set once and read often.
private final class Flag: Sendable {
    private let flag = Atomic(false)

    var isSet: Bool { flag.load(ordering: .acquiring) }

    func set() { flag.store(true, ordering: .releasing) }
}
