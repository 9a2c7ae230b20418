internal import Foundation

/// Random secrets, one a file, readable by their owner only. What is there stays.
struct Secrets: Sendable {
    let directory: StateDirectory

    static let operatorEmail = "operator@heartguard.test"

    /// Makes those that are missing.
    func create() throws {
        let names = ["postgres-superuser", "postgres-owner", "redis-durable", "redis-cache", "operator"]
            + ServiceName.owners.map { "postgres-\($0.rawValue)" }
        for name in names where !FileManager.default.fileExists(atPath: directory.secret(name)) {
            try directory.write(Data(Self.random().utf8), to: directory.secret(name), mode: 0o600)
        }
    }

    subscript(name: String) -> String {
        get throws {
            guard let data = FileManager.default.contents(atPath: directory.secret(name)) else {
                throw CommandFailure("the secret \(directory.secret(name)) is missing. Was `heartguard up` ever run here?")
            }
            return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }

    /// 32 letters and digits from the system's generator: 190 bits, and nothing that a shell or a URL would misread.
    static func random() -> String {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
        var generator = SystemRandomNumberGenerator()
        return String((0..<32).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] })
    }
}
