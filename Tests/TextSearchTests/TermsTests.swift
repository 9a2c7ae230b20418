internal import Testing
internal import TextSearch

@Suite struct `The terms of a text` {
    @Test(arguments: [
        ("Chronic atrial fibrillation, unspecified", ["chronic", "atrial", "fibrillation", "unspecified"]),
        ("I21.4", ["i21.4", "i21", "4"]),
        ("(I21.4)", ["i21.4", "i21", "4"]),
        ("ST-elevation", ["st-elevation", "st", "elevation"]),
        ("ST\u{2011}elevation", ["st-elevation", "st", "elevation"]),
        ("CHEBI:101278", ["chebi:101278", "chebi", "101278"]),
        ("1,3-benzothiazole", ["1,3-benzothiazole", "1", "3", "benzothiazole"]),
        ("ended. Then -- 5- or -6", ["ended", "then", "5", "or", "6"]),
        ("a..b", ["a", "b"]),
        ("Down\u{2019}s", ["down's", "down", "s"]),
        ("Ménière Me\u{301}nie\u{300}re", ["meniere", "meniere"]),
        ("SJÖGREN", ["sjogren"]),
        ("ΣΟΦΟΣ σοφος", ["σοφοσ", "σοφοσ"]),
        ("H₂O 5 µg β-Blocker", ["h2o", "5", "μg", "β-blocker", "β", "blocker"]),
        ("ＳＴＥＭＩ", ["stemi"]),
        ("инфаркт миокарда", ["инфаркт", "миокарда"]),
        ("心臓病とカテーテル", ["心", "臓", "病", "と", "カ", "テ", "ー", "テ", "ル"]),
        ("हृदय रोग", ["हृदय", "रोग"]),
        ("❤️ 🫀", []),
        ("ste\u{AD}mi", ["stemi"]),
        ("", []),
        ("  .,;- \n\t…—", []),
        ("the of and", ["the", "of", "and"]),
    ] as [(String, [String])])
    func `are its words, and its codes whole and in parts`(_ text: String, _ terms: [String]) {
        #expect(Terms.of(text) == terms)
    }

    @Test func `are none of more than 100 bytes, and parts of what is`() {
        let long = String(repeating: "x", count: 101)

        #expect(Terms.of(long) == [])
        #expect(Terms.of("a \(long) b") == ["a", "b"])
        #expect(Terms.of("a-\(long)-b") == ["a", "b"])
    }

    @Test func `of 100 KB are read in time that grows with the length`() {
        #expect(Terms.of(String(repeating: "é-", count: 50_000)).count == 50_000)
        #expect(Terms.of(String(repeating: "I21.4 ", count: 16_000)).count == 48_000)
    }
}
