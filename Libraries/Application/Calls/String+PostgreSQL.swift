extension String {
    /// How PostgreSQL's `length` counts: code points, not what a reader sees as one character.
    package var codePointCount: Int { unicodeScalars.count }

    /// PostgreSQL's text cannot hold a NUL.
    package var hasNUL: Bool { utf8.contains(0) }

    /// The text, which PostgreSQL can hold.
    package func withoutNUL() throws(InvalidValue) -> String {
        guard !hasNUL else { throw InvalidValue(sentence: "It must not hold a NUL character.") }
        return self
    }
}
