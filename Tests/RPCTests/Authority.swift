import Foundation

/// A private authority of a test's own, and the certificates that it signs. Everything lies in one folder.
struct Authority {
    let folder: URL
    let name: String

    /// Makes the authority's key and certificate, `NAME.pem`.
    init(_ name: String, in folder: URL) throws {
        self.folder = folder
        self.name = name
        try openssl(
            ["req", "-x509", "-days", "1", "-subj", "/CN=\(name)", "-keyout", "\(name).key", "-out", "\(name).pem"] + Self.key)
    }

    private static let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]

    /// Signs a certificate for this machine's addresses and, where one is given, a program's URI. Its files are
    /// `FILE.pem` and `FILE.key`.
    func sign(_ file: String, names: String = "DNS:localhost,IP:127.0.0.1", uri: String? = nil) throws {
        let names = names + (uri.map { ",URI:\($0)" } ?? "")
        try Data("subjectAltName=\(names)".utf8).write(to: folder.appending(path: "\(file).names"))
        try openssl(["req", "-subj", "/CN=\(file)", "-keyout", "\(file).key", "-out", "\(file).csr"] + Self.key)
        try openssl([
            "x509", "-req", "-days", "1", "-in", "\(file).csr", "-CA", "\(name).pem", "-CAkey", "\(name).key",
            "-CAcreateserial", "-extfile", "\(file).names", "-out", "\(file).pem",
        ])
    }

    private func openssl(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        if process.terminationStatus != 0 { throw CocoaError(.executableLoad) }
    }
}

/// A folder for certificates that is gone after the test.
struct CertificateFolder: Sendable {
    let url: URL

    static func with<Result>(_ body: (CertificateFolder) async throws -> Result) async throws -> Result {
        let url = FileManager.default.temporaryDirectory.appending(path: "rpc-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: url) }  // A folder left in /tmp is no reason to fail.
        return try await body(CertificateFolder(url: url))
    }

    func path(_ file: String) -> String { url.appending(path: file).path }

    /// Puts the content of the files, one behind the other, in the place of another file, all at once.
    func replace(_ file: String, with sources: String...) throws {
        var content = Data()
        for source in sources { content += try Data(contentsOf: url.appending(path: source)) }
        try content.write(to: url.appending(path: file), options: .atomic)
    }

    func write(_ text: String, to file: String) throws {
        try Data(text.utf8).write(to: url.appending(path: file), options: .atomic)
    }
}
