import Foundation

/// An authority of the test's own, with a certificate for a server on the loopback interface and one for a client.
struct Certificates {
    let folder: URL

    /// Asks the openssl command for keys and certificates, in a folder that `remove` takes away.
    init(names: String = "DNS:localhost,IP:127.0.0.1") throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "rpc-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let authority = try Authority("ca", in: folder)
        for name in ["server", "client"] { try authority.sign(name, names: names) }
    }

    func path(_ name: String) -> String { folder.appending(path: name).path }

    func remove() {
        try? FileManager.default.removeItem(at: folder)  // A folder left in /tmp is no reason to fail.
    }
}
