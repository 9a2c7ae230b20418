import Application
import Contracts
import RPC
import Testing

@Suite struct `An answer of many messages` {
    private static func message(_ bytes: Int) -> ChatV1.Message { ChatV1.Message(content: String(repeating: "x", count: bytes)) }

    @Test func `holds as many of the first as fit, and one at least`() {
        // A tag and a length of one byte each come before the content.
        let messages = [100, 50, 10].map(Self.message)

        #expect(AnswerBytes.fitting(messages, upTo: 166) == messages)
        #expect(AnswerBytes.fitting(messages, upTo: 165) == Array(messages.prefix(2)))
        #expect(AnswerBytes.fitting(messages, upTo: 153) == Array(messages.prefix(1)))
        #expect(AnswerBytes.fitting(messages, upTo: 1) == Array(messages.prefix(1)))
        #expect(AnswerBytes.fitting([] as [ChatV1.Message]).isEmpty)
    }

    @Test func `of a page goes on behind the last that is in it`() {
        let sizes = Array(repeating: 1 << 20, count: 5)
        func page(_ read: [Int], of size: Int) -> (told: [ChatV1.Message], next: String) {
            PageToken.page(read, of: size, telling: { Self.message($0 - 100) }) { PageToken(["\($0)"]) }
        }
        let numbered = sizes.enumerated().map { $0.element + $0.offset }

        let cut = page(numbered, of: 4)
        #expect(cut.told.count == 3 && cut.next == PageToken(["\(numbered[2])"]).text)
        let full = page(numbered, of: 2)
        #expect(full.told.count == 2 && full.next == PageToken(["\(numbered[1])"]).text)
        let last = page(Array(numbered.prefix(3)), of: 3)
        #expect(last.told.count == 3 && last.next.isEmpty)
    }

    @Test func `of a page tells no row behind the first that does not fit`() {
        var told: [Int] = []

        let page = PageToken.page(
            Array(0..<500), of: 400,
            telling: { (row: Int) -> ChatV1.Message in
                told.append(row)
                return Self.message(1 << 20)
            },
            behind: { PageToken(["\($0)"]) })

        #expect(page.told.count == 2 && page.next == PageToken(["1"]).text)
        #expect(told == [0, 1, 2])
    }
}
