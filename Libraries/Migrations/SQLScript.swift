/// A text of several statements, and where one ends and the next begins.
///
/// Knows what a semicolon may stand in: strings, escape strings, quoted names, dollar quotes, comments (nested ones too)
/// and the body of a function after BEGIN ATOMIC, which no revision has and which is not looked for
/// (PostgreSQL manual, 4.1 "Lexical Structure").
package struct SQLScript: Sendable, Hashable {
    /// The statements without their semicolons, and without comments in front of them.
    package let statements: [String]

    package init(_ text: String) {
        var scanner = Scanner(bytes: Array(text.utf8))
        statements = scanner.statements()
    }
}

private struct Scanner {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func statements() -> [String] {
        var found: [String] = []
        var start: Int?
        while let byte = peek() {
            if skipComment() { continue }
            if byte == UInt8(ascii: ";") {
                if let begun = start { found.append(text(from: begun)) }
                start = nil
                position += 1
                continue
            }
            if start == nil, !isSpace(byte) { start = position }
            skipToken(byte)
        }
        if let begun = start { found.append(text(from: begun)) }
        return found
    }

    private func peek(_ offset: Int = 0) -> UInt8? {
        let place = position + offset
        return place < bytes.count ? bytes[place] : nil
    }

    private func text(from start: Int) -> String {
        var end = position
        while end > start, isSpace(bytes[end - 1]) { end -= 1 }
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    private func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }

    private func isName(_ byte: UInt8) -> Bool {
        byte >= 128 || byte == UInt8(ascii: "_") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private mutating func skipComment() -> Bool {
        if peek() == UInt8(ascii: "-"), peek(1) == UInt8(ascii: "-") {
            while let byte = peek(), byte != UInt8(ascii: "\n") { position += 1 }
            return true
        }
        guard peek() == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") else { return false }
        var depth = 0
        repeat {
            if peek() == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") {
                depth += 1
                position += 2
            } else if peek() == UInt8(ascii: "*"), peek(1) == UInt8(ascii: "/") {
                depth -= 1
                position += 2
            } else {
                position += 1
            }
        } while depth > 0 && peek() != nil
        return true
    }

    private mutating func skipToken(_ first: UInt8) {
        switch first {
        case UInt8(ascii: "'"): skipQuoted(first, escapes: false)
        case UInt8(ascii: "\""): skipQuoted(first, escapes: false)
        case UInt8(ascii: "$"): skipDollarQuoted()
        case UInt8(ascii: "E"), UInt8(ascii: "e"):
            guard peek(1) == UInt8(ascii: "'") else { return skipName() }
            position += 1
            skipQuoted(UInt8(ascii: "'"), escapes: true)
        case let byte where isName(byte): skipName()
        default: position += 1
        }
    }

    /// A name may hold dollar signs, which then begin no quote.
    private mutating func skipName() {
        while let byte = peek(), isName(byte) || byte == UInt8(ascii: "$") { position += 1 }
    }

    /// A doubled quote ends one part and begins the next, which comes to the same.
    private mutating func skipQuoted(_ quote: UInt8, escapes: Bool) {
        position += 1
        while let byte = peek() {
            position += escapes && byte == UInt8(ascii: "\\") ? 2 : 1
            if byte == quote { return }
        }
    }

    private mutating func skipDollarQuoted() {
        var end = position + 1
        while end < bytes.count, isName(bytes[end]) { end += 1 }
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard end < bytes.count, bytes[end] == UInt8(ascii: "$"), !digits.contains(bytes[position + 1]) else {
            position += 1
            return
        }
        let tag = bytes[position...end]
        position = end + 1
        while position + tag.count <= bytes.count, !bytes[position..<(position + tag.count)].elementsEqual(tag) {
            position += 1
        }
        position = min(position + tag.count, bytes.count)
    }
}
