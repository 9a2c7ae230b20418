import FoundationEssentials
import Testing
import Tokens

@Suite struct `A refresh token` {
    let user = UUID()

    @Test func `comes back as it was sent`() throws {
        let token = RefreshToken(userID: user)

        let parsed = try RefreshToken(parsing: token.text)

        #expect(parsed == token)
        #expect(parsed.userID == user)
        #expect(parsed.digest == token.digest)
    }

    @Test func `is different every time, and so is what is stored of it`() {
        let one = RefreshToken(userID: user)
        let other = RefreshToken(userID: user)

        #expect(one.text != other.text)
        #expect(one.digest != other.digest)
        #expect(one.digest.count == 32)
    }

    @Test func `prints its user and not its secret`() {
        let token = RefreshToken(userID: user)
        var dumped = ""
        dump(token, to: &dumped)

        #expect(!"\(token)".contains("hgr_"))
        #expect("\(token)".contains(user.uuidString.lowercased()))
        #expect(!dumped.contains("secret"))
    }

    @Test(arguments: [
        "", "hgr_", "hgr_short", String(repeating: "A", count: 68), "hgr_" + String(repeating: "A", count: 65),
        "hgr_" + String(repeating: "=", count: 64), "hgr_" + String(repeating: "+", count: 64),
        "hgr_" + String(repeating: "é", count: 32),
    ])
    func `is not read from anything else`(text: String) {
        #expect { try RefreshToken(parsing: text) } throws: { ($0 as? TokenError)?.code == .malformed }
    }
}
