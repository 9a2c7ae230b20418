internal import Application

/// What people write in their own words: within a number of characters, without what no text has. Lines end as LF alone.
struct PlainText: Hashable, Sendable {
    let text: String

    init(_ given: String, characters: ClosedRange<Int>, lines: Bool = true) throws(InvalidValue) {
        let text = given.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
        guard !text.isEmpty || characters.contains(0) else { throw InvalidValue("is needed") }
        guard characters.contains(text.codePointCount) else { throw InvalidValue("has more than \(characters.upperBound) characters") }
        let allowed: Set<Unicode.Scalar> = lines ? ["\n", "\t"] : []
        guard text.unicodeScalars.allSatisfy({ allowed.contains($0) || $0.properties.generalCategory != .control }) else {
            throw InvalidValue("holds a control character")
        }
        self.text = text
    }
}

/// An app's own id of something that it makes, so that it is made once however often it asks.
struct ClientID: Hashable, Sendable {
    let text: String

    static let maxCharacters = 128

    init(_ given: String) throws(InvalidValue) {
        text = try PlainText(given, characters: 1...Self.maxCharacters, lines: false).text
    }
}

/// How long before something begins a reminder of it comes.
struct ReminderLead: Hashable, Sendable {
    let minutes: Int32

    static let day = ReminderLead(unchecked: 1_440)
    /// Four weeks.
    static let most: Int32 = 40_320

    init(minutes: Int32) throws(InvalidValue) {
        guard (0...Self.most).contains(minutes) else { throw InvalidValue("must be 0 to \(Self.most)") }
        self.minutes = minutes
    }

    private init(unchecked minutes: Int32) { self.minutes = minutes }
}
