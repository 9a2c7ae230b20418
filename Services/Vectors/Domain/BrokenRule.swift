/// A rule that a value from outside did not keep, as a sentence about the field that it came in.
struct BrokenRule: Error, Hashable {
    let sentence: String

    init(_ sentence: String) { self.sentence = sentence }
}

extension String {
    /// How PostgreSQL's `length` counts: code points, not what a reader sees as one character.
    var codePointCount: Int { unicodeScalars.count }

    /// PostgreSQL's text cannot hold a NUL.
    var hasNUL: Bool { utf8.contains(0) }
}
