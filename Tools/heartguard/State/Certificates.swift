internal import Foundation

/// The cluster's private certificate authority and one certificate for each service and for clients, made by openssl.
/// A certificate that has less than a month left is made anew.
struct Certificates: Sendable {
    let directory: StateDirectory
    private static let monthSeconds = "2592000"

    func create() throws {
        if !holds("ca") { try makeAuthority() }
        for name in ServiceName.allCases.map(\.rawValue) + ["client"] where !holds(name) { try makeCertificate(name) }
    }

    private func holds(_ name: String) -> Bool {
        let certificate = directory.tls("\(name).crt")
        guard FileManager.default.fileExists(atPath: certificate),
            FileManager.default.fileExists(atPath: directory.tls("\(name).key"))
        else { return false }
        // openssl fails when the certificate ends within the time asked about, and so does a broken file: both are renewed
        return (try? Tool.run("openssl", ["x509", "-in", certificate, "-noout", "-checkend", Self.monthSeconds])) != nil
    }

    private func makeAuthority() throws {
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
        try makeKey("ca")
        try Tool.run(
            "openssl",
            ["req", "-x509", "-new", "-config", "/dev/stdin", "-key", directory.tls("ca.key"), "-days", "3650",
             "-out", directory.tls("ca.crt")],
            input: configuration)
        for name in ServiceName.allCases.map(\.rawValue) + ["client"] {
            let old = directory.tls("\(name).crt")  // signed by the authority before
            if FileManager.default.fileExists(atPath: old) { try FileManager.default.removeItem(atPath: old) }
        }
    }

    private func makeCertificate(_ name: String) throws {
        let extensions = """
            basicConstraints = critical, CA:FALSE
            keyUsage = critical, digitalSignature
            extendedKeyUsage = serverAuth, clientAuth
            subjectAltName = DNS:localhost, DNS:\(name), IP:127.0.0.1, IP:::1
            subjectKeyIdentifier = hash
            authorityKeyIdentifier = keyid
            """
        try makeKey(name)
        let request = directory.tls("\(name).csr")
        defer { try? FileManager.default.removeItem(atPath: request) }  // a request left behind is no secret
        try Tool.run(
            "openssl", ["req", "-new", "-key", directory.tls("\(name).key"), "-subj", "/O=HeartGuard/CN=\(name)", "-out", request])
        try Tool.run(
            "openssl",
            ["x509", "-req", "-in", request, "-CA", directory.tls("ca.crt"), "-CAkey", directory.tls("ca.key"),
             "-set_serial", "0x\(String(UInt64.random(in: 1...UInt64.max >> 1), radix: 16))", "-days", "825",
             "-extfile", "/dev/stdin", "-out", directory.tls("\(name).crt")],
            input: extensions)
    }

    private func makeKey(_ name: String) throws {
        let pem = try Tool.run("openssl", ["genpkey", "-quiet", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        try directory.write(Data(pem.utf8), to: directory.tls("\(name).key"), mode: 0o600)
    }
}
