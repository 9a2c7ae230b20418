import Application
import Foundation
import Testing

@Suite struct `Settings of a program` {
    @Test func `are reported together when several are missing or wrong`() throws {
        var settings = Settings(environment: ["PORT": "seventy", "ADDRESS": "localhost"])

        _ = settings.string("NAME")
        _ = settings.port("PORT")
        _ = settings.address("ADDRESS")
        _ = settings.contents(ofFile: "SECRET_FILE")

        #expect {
            try settings.finish()
        } throws: { error in
            (error as? SettingsError)?.problems == [
                "NAME is not set.",
                "PORT is not a whole number from 1 to 65535.",
                "ADDRESS is not of the form host:port.",
                "SECRET_FILE is not set.",
            ]
        }
    }

    @Test func `come from files for secrets, without the line end`() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "setting-\(UUID().uuidString)").path
        try "not-a-real-secret\n".write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }  // A leftover in the temporary folder harms nobody.
        var settings = Settings(environment: ["SECRET_FILE": path])

        let secret = settings.contents(ofFile: "SECRET_FILE")

        #expect(secret == "not-a-real-secret")
        try settings.finish()
    }

    @Test func `say which file cannot be read`() {
        var settings = Settings(environment: ["SECRET_FILE": "/nowhere/at/all"])

        _ = settings.contents(ofFile: "SECRET_FILE")

        #expect(throws: SettingsError.self) { try settings.finish() }
    }

    @Test func `take a list of hosts, each with or without a port`() throws {
        var settings = Settings(environment: ["HOSTS": "a.example.org, b:5433,[::1],[::2]:5434"])

        let hosts = settings.hosts("HOSTS", defaultPort: 5432)
        let others = settings.hosts("OTHERS", defaultPort: 5432)

        #expect(hosts?.map(\.host) == ["a.example.org", "b", "::1", "::2"])
        #expect(hosts?.map(\.port) == [5432, 5433, 5432, 5434])
        #expect(others == nil)
        try settings.finish()
    }

    @Test(arguments: [
        ",", "a,", "a:", "a:0", "a:70000", "a:b", "::1", "[::1", "[::1]5432", "[]:1", "a b",
        Array(repeating: "a", count: 17).joined(separator: ","),
    ])
    func `refuse what is no list of hosts`(_ text: String) {
        var settings = Settings(environment: ["HOSTS": text])

        _ = settings.hosts("HOSTS", defaultPort: 5432)

        let error = #expect(throws: SettingsError.self) { try settings.finish() }
        #expect(error?.problems == [
            "HOSTS is not a list of 1 to 16 hosts, parted by commas, each of the form host or host:port."
        ])
    }

    @Test(arguments: ["::1:8080", "[::1]:8080"]) func `take an IPv6 address with its port`(_ text: String) throws {
        var settings = Settings(environment: ["ADDRESS": text])

        let address = settings.address("ADDRESS")

        #expect(address.host == "::1")
        #expect(address.port == 8080)
        try settings.finish()
    }

    @Test(arguments: ["::1", "fe80::1", "[::1]", "[::1:8080", "::1]:8080", "[]:8080", ":8080"])
    func `refuse what is no address`(_ text: String) {
        var settings = Settings(environment: ["ADDRESS": text])

        _ = settings.address("ADDRESS")

        let error = #expect(throws: SettingsError.self) { try settings.finish() }
        #expect(error?.problems == ["ADDRESS is not of the form host:port."])
    }
}
