import Application
import Testing

@Suite struct `A text that is compared by its bytes` {
    /// To Swift these are equal strings.
    private let forms = ["\u{1E69}", "s\u{323}\u{307}", "s\u{307}\u{323}"]

    @Test func `is another one when its code points are others`() {
        #expect(Set(forms).count == 1)
        #expect(Set(forms.map(ExactText.init)).count == 3)
        #expect(ExactText("K") != ExactText("\u{212A}"))
    }

    @Test(arguments: ["", "a", "fifteen bytes é", "more bytes than a string holds without a storage of its own, é"])
    func `is equal to a copy of it, and hashes as that does`(text: String) {
        let copy = String(decoding: Array(text.utf8), as: UTF8.self)

        #expect(ExactText(text) == ExactText(copy))
        #expect(ExactText(text).hashValue == ExactText(copy).hashValue)
        #expect(ExactText(text) != ExactText(text + "a"))
        #expect(ExactText(text).text == text)
    }
}
