import Application
import Foundation
import RPC
import Testing
import Time

@Suite struct `A page token` {
    @Test(arguments: [["a"], ["", ""], ["2026-01-01T00:00:00Z", "ü/+=", "x"],
        ["a\u{1f}b", "\u{1f}\u{1e}"], ["\u{1e}\u{1d}\u{1f}\u{301}", "\u{1e}\u{1c}\u{301}", "\u{1e}"]])
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

    @Test func `may hold a name as long as there are`() throws {
        let parts = [String(repeating: "😀", count: 1_024), UUID().uuidString, "\(Int64.min)"]

        #expect(try PageToken(parsing: PageToken(parts).text, parts: 3).parts == parts)
    }

    @Test func `belongs to its query, and holds a time that a row can have`() throws {
        let (query, id, at) = (["list", "all"], UUID(), Instant(microsecondsSinceEpoch: 1_771_662_600_000_000))
        let text = PageToken(of: query, behind: at, id).text
        let (place, none) = (try PageToken.place(text, of: query), try PageToken.place("", of: query))

        #expect(place?.at == at && place?.id == id && none?.id == nil)
        #expect(throws: RPCError.self) { try PageToken.place(text, of: ["list", "open"]) }
        #expect(throws: RPCError.self) { try PageToken.id(text, of: ["list", "open", "\(at.microsecondsSinceEpoch)"]) }
        for time in ["\(Int64.min)", "\(Int64.max)", "253402300800000000", "-62135596800000001", "9223372036854775808", "x", ""] {
            let forged = PageToken(query + [time, id.uuidString]).text
            #expect(throws: RPCError.self) { try PageToken.place(forged, of: query) }
        }
    }
}
