import Foundation

/// An authority of the test's own, with a certificate for a server on the loopback interface and one for a client.
struct Certificates {
    let folder: URL

    /// Asks the openssl command for keys and certificates, in a folder that `remove` takes away.
    init(names: String = "DNS:localhost,IP:127.0.0.1") throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "rpc-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        try openssl(["req", "-x509", "-days", "2", "-subj", "/CN=Test CA", "-keyout", "ca.key", "-out", "ca.pem"] + key)
        try Data("subjectAltName=\(names)".utf8).write(to: folder.appending(path: "names"))
        for name in ["server", "client"] {
            try openssl(["req", "-subj", "/CN=\(name)", "-keyout", "\(name).key", "-out", "\(name).csr"] + key)
            try openssl([
                "x509", "-req", "-days", "2", "-in", "\(name).csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-extfile", "names", "-out", "\(name).pem",
            ])
        }
    }

    func path(_ name: String) -> String { folder.appending(path: name).path }

    func remove() {
        try? FileManager.default.removeItem(at: folder)  // A folder left in /tmp is no reason to fail.
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
