internal import Application
internal import Testing

@testable internal import Users

@Suite struct `An e-mail address` {
    @Test(arguments: [
        ("ada@example.org", "ada@example.org"),
        (" Ada.Lovelace@Example.ORG\n", "ada.lovelace@example.org"),
        ("o'brien+vitals@mail.example.co.uk", "o'brien+vitals@mail.example.co.uk"),
        ("x@xn--bcher-kva.example", "x@xn--bcher-kva.example"),
        ("\(String(repeating: "a", count: 64))@example.org", "\(String(repeating: "a", count: 64))@example.org"),
    ])
    func `is written in one way`(given: String, text: String) throws {
        #expect(try EmailAddress(given).text == text)
    }

    @Test(arguments: [
        "", "  ", "ada", "ada@", "@example.org", "ada@example", "ada@@example.org", "a@b@example.org",
        ".ada@example.org", "ada.@example.org", "a..da@example.org", "ada lovelace@example.org", "ada@exa mple.org",
        "ada@-example.org", "ada@example-.org", "ada@.org", "ada@example.", "ada@[127.0.0.1]", "ada@127.0.0.1",
        "\"ada\"@example.org", "ädä@example.org", "ada@bücher.example", "ada\u{0}@example.org",
        "\(String(repeating: "a", count: 65))@example.org",
        "ada@\(String(repeating: "a", count: 64)).org",
        "ada@\(Array(repeating: "abcdefgh", count: 30).joined(separator: ".")).org",
    ])
    func `has a mailbox and a domain`(given: String) {
        #expect(throws: InvalidValue.self) { try EmailAddress(given) }
    }

    @Test func `prints as nothing`() throws {
        #expect(!"\(try EmailAddress("ada@example.org"))".contains("ada"))
    }
}
