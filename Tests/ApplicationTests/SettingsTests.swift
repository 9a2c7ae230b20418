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

    @Test func `take an IPv6 address with its port`() throws {
        var settings = Settings(environment: ["ADDRESS": "::1:8080"])

        let address = settings.address("ADDRESS")

        #expect(address.host == "::1")
        #expect(address.port == 8080)
    }
}
