internal import Application
internal import Testing

@testable internal import Users

@Suite struct `The users service's configuration` {
    @Test func `is complete with an operator or without one`() throws {
        let folder = try SettingsFolder()
        var settings = folder.settings

        let with = try UsersConfiguration(environment: settings)
        settings["HEARTGUARD_OPERATOR_EMAIL"] = nil
        settings["HEARTGUARD_OPERATOR_PASSWORD_FILE"] = nil
        let without = try UsersConfiguration(environment: settings)

        #expect(with.operatorAccount?.email.text.hasSuffix("@example.org") == true)
        #expect(with.operatorAccount?.password.text == "correct horse battery staple")
        #expect(without.operatorAccount == nil)
    }

    @Test func `reports everything that is missing or wrong at once`() throws {
        let folder = try SettingsFolder()
        var settings = folder.settings
        settings["HEARTGUARD_TOKEN_SIGNING_KEY_FILE"] = nil
        settings["HEARTGUARD_POSTGRES_HOST"] = nil
        settings["HEARTGUARD_OPERATOR_EMAIL"] = "root"
        settings["HEARTGUARD_OPERATOR_PASSWORD_FILE"] = try folder.file("short", "short\n")

        let error = #expect(throws: SettingsError.self) { try UsersConfiguration(environment: settings) }

        let problems = try #require(error?.problems)
        for variable in [
            "HEARTGUARD_TOKEN_SIGNING_KEY_FILE", "HEARTGUARD_POSTGRES_HOST", "HEARTGUARD_OPERATOR_EMAIL",
            "HEARTGUARD_OPERATOR_PASSWORD_FILE",
        ] {
            #expect(problems.contains { $0.hasPrefix(variable) }, "\(variable)")
        }
    }

    @Test func `has half an operator reported`() throws {
        let folder = try SettingsFolder()
        var settings = folder.settings
        settings["HEARTGUARD_OPERATOR_PASSWORD_FILE"] = nil

        let error = #expect(throws: SettingsError.self) { try UsersConfiguration(environment: settings) }

        #expect(error?.problems == ["HEARTGUARD_OPERATOR_PASSWORD_FILE is not set."])
    }
}
