internal import Foundation

/// The cluster's private certificate authority and one certificate for each service and for clients, made by openssl.
///
/// `ca.crt` is what every program trusts. It holds the authority that signs, whose key is `ca.key`, and while an authority
/// is being replaced the one before behind it. A certificate that has less than a month left is made anew, and so is one
/// without its program's URI, and what a kill left half made: one that is not its key's, or that no authority in `ca.crt`
/// signed. Programs that run take what is new by themselves.
struct Certificates: Sendable {
    let directory: StateDirectory
    private static let monthSeconds = "2592000"

    static let names = ServiceName.allCases.map(\.rawValue) + ["client"]

    /// What names a program of the cluster to the others.
    static func uri(of name: String) -> String { "spiffe://heartguard/\(name)" }

    func create() throws {
        if !holdsAuthority() {
            try makeAuthority()
            for name in Self.names { try makeCertificate(name) }
        }
        for name in Self.names where try !holds(name) { try makeCertificate(name) }
    }

    private func holdsAuthority() -> Bool { isStillGood("ca") }

    private func holds(_ name: String) throws -> Bool {
        guard isStillGood(name), isTrusted(name) else { return false }
        let names = try Tool.run("openssl", ["x509", "-in", directory.tls("\(name).crt"), "-noout", "-ext", "subjectAltName"])
        return names.contains("URI:\(Self.uri(of: name))")
    }

    private func isStillGood(_ name: String) -> Bool {
        let certificate = directory.tls("\(name).crt")
        guard FileManager.default.fileExists(atPath: certificate),
            FileManager.default.fileExists(atPath: directory.tls("\(name).key"))
        else { return false }
        // openssl fails when the certificate ends within the time asked about, and so does a broken file: both are renewed
        guard (try? Tool.run("openssl", ["x509", "-in", certificate, "-noout", "-checkend", Self.monthSeconds])) != nil else { return false }
        return isOfItsKey(name)
    }

    /// A kill between the two leaves a new key beside the certificate of the one before.
    private func isOfItsKey(_ name: String) -> Bool {
        // openssl fails for a file that is broken, and then it is made anew
        let certified = try? Tool.run("openssl", ["x509", "-in", directory.tls("\(name).crt"), "-noout", "-pubkey"])
        let own = try? Tool.run("openssl", ["pkey", "-in", directory.tls("\(name).key"), "-pubout"])
        return certified != nil && certified == own
    }

    /// A kill behind a new authority leaves certificates that the one before signed.
    private func isTrusted(_ name: String) -> Bool {
        // openssl fails for a certificate that is to be made anew
        (try? Tool.run("openssl", ["verify", "-CAfile", directory.certificateAuthority, directory.tls("\(name).crt")])) != nil
    }

    // MARK: Another authority, in three steps

    /// Makes a new authority. From now on it signs, and it is trusted beside those that are trusted already.
    func addAuthority() throws {
        try makeAuthority(trustedBefore: String(contentsOfFile: directory.certificateAuthority, encoding: .utf8))
    }

    /// Makes every certificate anew, signed by the authority that signs now.
    func renewAll() throws {
        for name in Self.names { try makeCertificate(name) }
    }

    /// Trusts the authority that signs now, and no other.
    func trustNewestAlone() throws {
        // openssl reads the first certificate of a file.
        let newest = try Self.certificate(in: Tool.run("openssl", ["x509", "-in", directory.certificateAuthority]))
        try directory.write(Data(newest.utf8), to: directory.certificateAuthority)
    }

    // MARK: Making them

    private func makeAuthority(trustedBefore: String = "") throws {
        let configuration = """
            [req]
            distinguished_name = name
            x509_extensions = authority
            prompt = no
            [name]
            CN = HeartGuard private CA
            [authority]
            basicConstraints = critical, CA:TRUE, pathlen:0
            keyUsage = critical, keyCertSign, cRLSign
            subjectKeyIdentifier = hash
            """
        let key = try newKey("ca")
        defer { remove(key) }
        let certificate = try Self.certificate(
            in: Tool.run(
                "openssl", ["req", "-x509", "-new", "-config", "/dev/stdin", "-key", key, "-days", "3650"],
                input: configuration))
        try replace("ca.key", by: key)
        try directory.write(Data((certificate + trustedBefore).utf8), to: directory.certificateAuthority)
    }

    private func makeCertificate(_ name: String) throws {
        let extensions = """
            basicConstraints = critical, CA:FALSE
            keyUsage = critical, digitalSignature
            extendedKeyUsage = serverAuth, clientAuth
            subjectAltName = DNS:localhost, DNS:\(name), IP:127.0.0.1, IP:::1, URI:\(Self.uri(of: name))
            subjectKeyIdentifier = hash
            authorityKeyIdentifier = keyid
            """
        let key = try newKey(name)
        let request = directory.tls("\(name).csr")
        defer {
            remove(key)
            remove(request)
        }
        try Tool.run("openssl", ["req", "-new", "-key", key, "-subj", "/O=HeartGuard/CN=\(name)", "-out", request])
        let certificate = try Self.certificate(
            in: Tool.run(
                "openssl",
                ["x509", "-req", "-in", request, "-CA", directory.certificateAuthority, "-CAkey", directory.tls("ca.key"),
                 "-set_serial", "0x\(String(UInt64.random(in: 1...UInt64.max >> 1), radix: 16))", "-days", "825",
                 "-extfile", "/dev/stdin"],
                input: extensions))
        // One directly after the other: a program that looks in between sees that they do not match, and looks again.
        try replace("\(name).key", by: key)
        try directory.write(Data(certificate.utf8), to: directory.tls("\(name).crt"))
    }

    /// The certificate in what openssl printed, without what it says besides.
    private static func certificate(in output: String) throws -> String {
        guard let certificate = output.firstMatch(of: /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/) else {
            throw CommandFailure("openssl made no certificate: \(output.prefix(500))")
        }
        return String(certificate.output)
    }

    /// A new key in a file beside the one that it will replace.
    private func newKey(_ name: String) throws -> String {
        let pem = try Tool.run("openssl", ["genpkey", "-quiet", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        let file = directory.tls("\(name).next.key")
        try directory.write(Data(pem.utf8), to: file, mode: 0o600)
        return file
    }

    /// Puts a new key in its place, as readable as the one before: containers' users may have been given it.
    private func replace(_ file: String, by other: String) throws {
        let files = FileManager.default
        let place = directory.tls(file)
        if files.fileExists(atPath: place), let mode = try files.attributesOfItem(atPath: place)[.posixPermissions] {
            try files.setAttributes([.posixPermissions: mode], ofItemAtPath: other)
        }
        guard unsafe rename(other, place) == 0 else { throw CommandFailure("cannot replace \(place)", errno: errno) }
    }

    private func remove(_ file: String) {
        try? FileManager.default.removeItem(atPath: file)  // It is gone when it has taken another's place.
    }
}
