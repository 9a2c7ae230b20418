internal import Application

/// Names a setting.
struct PreferenceName: Hashable, Sendable {
    let category: String
    let key: String

    static func category(_ given: String) throws(InvalidValue) -> String { try name(given, characters: 64, with: "_") }
    static func key(_ given: String) throws(InvalidValue) -> String { try name(given, characters: 128, with: "_.") }

    private static func name(_ given: String, characters: Int, with others: String) throws(InvalidValue) -> String {
        let isSmall = { (byte: UInt8) in (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
        guard (1...characters).contains(given.utf8.count), given.utf8.first.map(isSmall) == true,
            given.utf8.allSatisfy({ isSmall($0) || $0.isASCIIDigit || others.utf8.contains($0) })
        else { throw InvalidValue("is not a name of small letters, digits and underscores that begins with a letter") }
        return given
    }
}
