import Application
import RPC
import Testing

@Suite struct `A page token` {
    @Test(arguments: [["a"], ["", ""], ["2026-01-01T00:00:00Z", "ü/+=", "x"]])
    func `comes back as it was`(parts: [String]) throws {
        let text = PageToken(parts).text

        #expect(try PageToken(parsing: text, parts: parts.count).parts == parts)
        #expect(text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") })
    }

    @Test(arguments: ["!", "YQ", String(repeating: "A", count: 5_000), "gICA"])
    func `that this list did not make is refused by its field`(text: String) {
        #expect {
            try PageToken(parsing: text, parts: 2)
        } throws: { error in
            let error = error as? RPCError
            return error?.code == .invalidArgument && error?.details.isEmpty == false
        }
    }
}
