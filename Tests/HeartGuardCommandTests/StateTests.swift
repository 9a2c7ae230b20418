internal import ArgumentParser
internal import Foundation
internal import Glibc
internal import Testing
internal import Tokens

@testable import HeartGuardCommand

@Suite struct `A state folder` {
    @Test func `keeps its secrets when they are made again`() throws {
        try withState { directory in
            try Secrets(directory: directory).create()
            let first = try Secrets(directory: directory)["postgres-users"]

            try Secrets(directory: directory).create()

            #expect(try Secrets(directory: directory)["postgres-users"] == first)
            #expect(first.count == 32)
        }
    }

    @Test func `shows its secrets to their owner only`() throws {
        try withState { directory in
            try Secrets(directory: directory).create()
            try Credentials.current(in: directory).save(in: directory)

            for file in [directory.secret("operator"), directory.credentials] {
                #expect(try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int == 0o600)
            }
        }
    }

    @Test func `makes certificates that its authority vouches for`() throws {
        try withState { directory in
            try Certificates(directory: directory).create()

            for name in ["users", "gateway", "client"] {
                try Tool.run("openssl", ["verify", "-CAfile", directory.certificateAuthority, directory.tls("\(name).crt")])
            }
            let text = try Tool.run("openssl", ["x509", "-in", directory.tls("users.crt"), "-noout", "-text"])
            #expect(text.contains("DNS:localhost, DNS:users, IP Address:127.0.0.1"))
            #expect(text.contains("URI:spiffe://heartguard/users"))
        }
    }

    @Test func `makes a certificate anew that does not name its program`() throws {
        try withState { directory in
            try Certificates(directory: directory).create()
            let authority = try String(contentsOfFile: directory.certificateAuthority, encoding: .utf8)
            let old = directory.tls("users.crt")
            try Tool.run(
                "openssl",
                ["req", "-x509", "-new", "-key", directory.tls("users.key"), "-subj", "/CN=users", "-days", "800", "-addext",
                 "subjectAltName=DNS:localhost,DNS:users", "-out", old])
            let chat = try String(contentsOfFile: directory.tls("chat.crt"), encoding: .utf8)

            try Certificates(directory: directory).create()

            let names = try Tool.run("openssl", ["x509", "-in", old, "-noout", "-ext", "subjectAltName"])
            #expect(names.contains("URI:spiffe://heartguard/users"))
            #expect(try String(contentsOfFile: directory.certificateAuthority, encoding: .utf8) == authority)
            #expect(try String(contentsOfFile: directory.tls("chat.crt"), encoding: .utf8) == chat)
        }
    }

    @Test func `makes anew what a kill has left half made`() throws {
        try withState { directory in
            try Certificates(directory: directory).create()
            let vitals = try String(contentsOfFile: directory.tls("vitals.crt"), encoding: .utf8)
            // The key of users is new and its certificate is not; the certificate of chat is another authority's.
            try Tool.run(
                "openssl", ["genpkey", "-quiet", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-out", directory.tls("users.key")])
            try Tool.run(
                "openssl",
                ["req", "-x509", "-new", "-key", directory.tls("chat.key"), "-subj", "/CN=chat", "-days", "800", "-addext",
                 "subjectAltName=DNS:chat,URI:\(Certificates.uri(of: "chat"))", "-out", directory.tls("chat.crt")])

            try Certificates(directory: directory).create()

            try Tool.run("openssl", ["verify", "-CAfile", directory.certificateAuthority, directory.tls("chat.crt")])
            let certified = try Tool.run("openssl", ["x509", "-in", directory.tls("users.crt"), "-noout", "-pubkey"])
            #expect(try certified == Tool.run("openssl", ["pkey", "-in", directory.tls("users.key"), "-pubout"]))
            #expect(try String(contentsOfFile: directory.tls("vitals.crt"), encoding: .utf8) == vitals)
        }
    }

    @Test func `replaces its authority in steps that each leave every certificate trusted`() throws {
        try withState { directory in
            let certificates = Certificates(directory: directory)
            try certificates.create()
            let before = directory.tls("before.crt")
            try FileManager.default.copyItem(atPath: directory.certificateAuthority, toPath: before)
            func verify(_ name: String, by authority: String) throws {
                try Tool.run("openssl", ["verify", "-CAfile", authority, directory.tls("\(name).crt")])
            }

            try certificates.addAuthority()
            for name in Certificates.names { try verify(name, by: directory.certificateAuthority) }
            try certificates.renewAll()
            for name in Certificates.names { try verify(name, by: directory.certificateAuthority) }
            try certificates.trustNewestAlone()

            for name in Certificates.names {
                try verify(name, by: directory.certificateAuthority)
                #expect(throws: CommandFailure.self) { try verify(name, by: before) }
            }
            let left = try FileManager.default.contentsOfDirectory(atPath: directory.tls("")).filter { $0.contains(".next.") || $0.hasSuffix(".csr") }
            #expect(left == [])
        }
    }

    @Test func `keeps a certificate that is still good`() throws {
        try withState { directory in
            try Certificates(directory: directory).create()
            let first = try String(contentsOfFile: directory.tls("chat.crt"), encoding: .utf8)

            try Certificates(directory: directory).create()

            #expect(try String(contentsOfFile: directory.tls("chat.crt"), encoding: .utf8) == first)
        }
    }

    @Test func `has nothing left when it is cleared`() throws {
        try withState { directory in
            try Secrets(directory: directory).create()
            try FileManager.default.createDirectory(atPath: directory.vectorSnapshots, withIntermediateDirectories: true)
            try Data("embeddings".utf8).write(to: URL(filePath: "\(directory.vectorSnapshots)/memories"))

            try directory.clear()

            #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == [])
        }
    }

    @Test func `has nothing left when it is cleared, also of what a kill has left half written or half removed`() throws {
        try withState { directory in
            try Data("a password".utf8).write(to: URL(filePath: "\(directory.credentials).new"))
            // The store's folder is gone, and so is the one that it was in; the link to it is not.
            try FileManager.default.createSymbolicLink(
                atPath: "\(directory.path)/postgres", withDestinationPath: "\(directory.path)-elsewhere/postgres")

            try directory.clear()

            #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == [])
        }
    }

    @Test func `lends nobody a file before it has its mode`() throws {
        try withState { directory in
            let file = directory.secret("operator")
            try Data().write(to: URL(filePath: "\(file).new"))
            let stranger = try FileHandle(forReadingFrom: URL(filePath: "\(file).new"))

            try directory.write(Data("a password".utf8), to: file, mode: 0o600)

            let seen = try stranger.readToEnd()
            #expect(seen == nil || seen == Data())
            #expect(try mode(of: file) == 0o600)
        }
    }

    @Test func `is closed to others while its keys are open to containers`() throws {
        try withState { directory in
            func make(_ flags: String...) throws { try InitSecretsCommand.parse(["--state-dir", directory.path] + flags).run() }

            for _ in 1...2 {
                try make("--for-containers")
                // Before a key is touched again, too.
                try directory.create(mode: 0o700)

                #expect(try mode(of: directory.path) == 0o700)
                #expect(try mode(of: directory.tls("users.key")) == 0o644)
                #expect(try mode(of: directory.secret("redis-durable")) == 0o644)
                #expect(try mode(of: directory.tls("ca.key")) == 0o600)
            }
            try make()

            #expect(try mode(of: directory.path) == 0o711)
            #expect(try mode(of: directory.tls("users.key")) == 0o600)
        }
    }

    @Test(.enabled(if: geteuid() == 0)) func `gives a store its folder also where a kill has left it made and not given`() throws {
        try withState { directory in
            let user = StoreUser.other(name: "somebody", uid: 54_321, gid: 54_322)
            try FileManager.default.createDirectory(atPath: "\(directory.path)/redis-cache", withIntermediateDirectories: false)

            for name in ["redis-cache", "redis-durable"] {
                let folder = try user.folder(name, in: directory)
                try directory.write(Data("port 1".utf8), to: "\(folder)/redis.conf", mode: 0o600, owner: user)

                for place in [folder, "\(folder)/redis.conf"] {
                    var status = stat()
                    let code = unsafe lstat(place, &status)
                    #expect(code == 0 && status.st_uid == 54_321 && status.st_gid == 54_322, "\(place)")
                }
            }
            #expect(try mode(of: "\(directory.path)/redis-durable") == 0o700)
        }
    }

    @Test func `is never the root of the file system, nor one without a name`() throws {
        for path in ["", "/", "//", "/tmp/.."] {
            #expect(throws: (any Error).self, "\(path)") { try StateOptions.parse(["--state-dir", path]) }
        }
        #expect(try StateOptions.parse(["--state-dir", "/tmp/x/"]).directory.path == "/tmp/x")
    }

    @Test func `has ports to call once something runs there`() throws {
        try withState { directory in
            #expect(throws: CommandFailure("no cluster was ever started in \(directory.path). `make up` starts one.")) { try directory.portsOfRunning() }
            let ports = try Ports(environment: [:], kept: nil, inUse: [], prefersKnownPorts: true) { _ in true }
            try directory.write(ports, to: directory.ports)
            #expect(throws: CommandFailure("nothing runs in \(directory.path). `make up` starts the cluster.")) { try directory.portsOfRunning() }
            let supervisor = try lockElsewhere(directory.supervisorLock)
            defer { close(supervisor) }
            #expect(try directory.portsOfRunning() == ports)
        }
    }

    @Test func `publishes the public half of its signing key`() throws {
        try withState { directory in
            try TokenKeys(directory: directory).create()
            let first = try String(contentsOfFile: directory.publicKeys, encoding: .utf8)

            try TokenKeys(directory: directory).create()

            #expect(first.contains("\"kid\""))
            #expect(!first.contains("\"d\""))
            #expect(try String(contentsOfFile: directory.publicKeys, encoding: .utf8) == first)
        }
    }

    @Test func `keeps the public halves of the token keys before, and has services begin anew with another key`() throws {
        try withState { directory in
            func keyIDs() throws -> [String] { try TokenKeySet(json: String(contentsOfFile: directory.publicKeys, encoding: .utf8)).keyIDs }
            try Data().write(to: URL(filePath: "\(directory.path)/heartguard-vitals"))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(directory.path)/heartguard-vitals")
            let ports = try Ports(environment: [:], kept: nil, inUse: [], prefersKnownPorts: true) { _ in true }
            let plan = ServicePlan(directory: directory, ports: ports, binaries: directory.path, environment: [:])
            let keys = TokenKeys(directory: directory)
            try keys.create()
            let first = try keyIDs()
            let build = try plan.plan(.vitals).build

            try keys.create()
            #expect(try plan.plan(.vitals).build == build)

            try FileManager.default.removeItem(atPath: directory.secret("token-signing-key.pem"))
            try keys.create()
            let both = try keyIDs()
            #expect(first.count == 1 && both.count == 2 && both.last == first.last)
            #expect(try plan.plan(.vitals).build != build)

            // Whoever does not want the one before removes the file.
            try FileManager.default.removeItem(atPath: directory.publicKeys)
            try keys.create()
            #expect(try keyIDs() == Array(both.prefix(1)))

            try Data("{}".utf8).write(to: URL(filePath: directory.publicKeys))
            #expect(throws: CommandFailure.self) { try keys.create() }
        }
    }

    @Test func `remembers the sample accounts beside the cluster's own logins`() throws {
        try withState { directory in
            try Secrets(directory: directory).create()
            var credentials = try Credentials.current(in: directory)
            credentials.samples = [.init(email: "a@heartguard.test", password: "secret")]
            credentials.clinician = .init(email: "c@heartguard.test", password: "secret")
            try credentials.save(in: directory)

            #expect(try Credentials.current(in: directory) == credentials)
        }
    }
}

@Suite struct `A log` {
    @Test func `that outgrew its bound is kept under a number and emptied in place`() throws {
        try withState { directory in
            let log = directory.log("users")
            let rotation = LogRotation(longestBytes: 10, keptFiles: 2)
            for round in 1...3 {
                try Data("round \(round) is long enough".utf8).write(to: URL(filePath: log))
                #expect(try rotation.rotate(log))
            }

            #expect(try String(contentsOfFile: log, encoding: .utf8) == "")
            #expect(try String(contentsOfFile: "\(log).1", encoding: .utf8) == "round 3 is long enough")
            #expect(try String(contentsOfFile: "\(log).2", encoding: .utf8) == "round 2 is long enough")
            #expect(!FileManager.default.fileExists(atPath: "\(log).3"))
        }
    }

    @Test func `of which a kill left half a copy is rotated all the same`() throws {
        try withState { directory in
            let log = directory.log("users")
            try Data("kept".utf8).write(to: URL(filePath: "\(log).1"))
            try Data("half".utf8).write(to: URL(filePath: "\(log).copy"))
            try Data("longer than its bound".utf8).write(to: URL(filePath: log))

            #expect(try LogRotation(longestBytes: 10, keptFiles: 2).rotate(log))

            #expect(try String(contentsOfFile: "\(log).1", encoding: .utf8) == "longer than its bound")
            #expect(try String(contentsOfFile: "\(log).2", encoding: .utf8) == "kept")
            #expect(!FileManager.default.fileExists(atPath: "\(log).copy"))
        }
    }

    @Test func `that is short, or not there, is left alone`() throws {
        try withState { directory in
            try Data("short".utf8).write(to: URL(filePath: directory.log("users")))

            #expect(try !LogRotation().rotate(directory.log("users")))
            #expect(try !LogRotation().rotate(directory.log("chat")))
        }
    }
}

@Suite struct `A line that is said` {
    @Test func `ends nobody where the disk is full`() throws {
        let full = try FileHandle(forWritingTo: URL(filePath: "/dev/full"))

        full.say("the report was not written")

        #expect(throws: (any Error).self) { try full.write(contentsOf: Data("x".utf8)) }
    }
}

@Suite struct `A tool` {
    @Test func `gets its input and gives its output`() throws {
        #expect(try Tool.run("cat", [], input: "heart") == "heart")
    }

    @Test func `that fails is reported with what it said last`() {
        #expect {
            try Tool.run("sh", ["-c", "echo 'no such thing'; exit 3"])
        } throws: { error in
            "\(error)".contains("ended with code 3") && "\(error)".contains("no such thing")
        }
    }

    @Test func `that is not installed is missed in a sentence`() {
        #expect(throws: CommandFailure("the program no-such-tool is not installed. `make setup` installs what is missing.")) {
            try Tool.run("no-such-tool", [])
        }
    }
}

private func mode(of file: String) throws -> Int? { try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int }

/// Lends the folders of a cluster of which there is nothing yet.
func withState(_ body: (StateDirectory) throws -> Void) throws {
    let directory = StateDirectory(FileManager.default.temporaryDirectory.appending(path: "heartguard-\(UUID().uuidString)").path)
    try directory.create()
    defer { try? FileManager.default.removeItem(atPath: directory.path) }  // the system clears its temporary folder
    try body(directory)
}
