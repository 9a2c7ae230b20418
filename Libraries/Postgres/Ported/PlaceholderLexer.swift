/// Finds the `%s` and `%(name)s` of SQL that was written for Python's drivers, and writes `$1`, `$2`, … in their place.
///
/// It knows PostgreSQL's lexical structure (the manual's 4.1) where a percent sign may stand for itself: string
/// constants of all forms, quoted identifiers, comments, dollar quotes, and the operators with `%`. There a placeholder
/// is none. `%%` becomes `%` wherever it stands outside comments, as Python's drivers make it.
struct PlaceholderLexer {
    struct Output: Equatable {
        var sql = ""
        /// Where in `sql` each `$` stands, in UTF-8 bytes. Each placeholder has a number of its own.
        var offsets: [Int] = []
        /// What each is called; `nil` for `%s`.
        var names: [String?] = []
    }

    struct Failure: Error, Equatable, CustomStringConvertible {
        enum Reason: String {
            case string = "A string constant does not end"
            case identifier = "A quoted identifier does not end"
            case comment = "A comment does not end"
            case dollarQuote = "A dollar-quoted string does not end"
            case parameter = "A $ placeholder stands in text with % placeholders"
            case mixture = "Named and unnamed placeholders are mixed"
        }

        let reason: Reason
        /// Counted from 0, in UTF-8 bytes.
        let offset: Int

        var description: String { "\(reason.rawValue) (from byte \(offset))." }
    }

    private let input: [UInt8]
    private var position = 0
    private var bytes: [UInt8] = []
    private var output = Output()
    private var firstDollarParameter: Int?

    private init(_ sql: String) {
        input = Array(sql.utf8)
        bytes.reserveCapacity(input.count)
    }

    static func convert(_ sql: String) throws(Failure) -> Output {
        var lexer = PlaceholderLexer(sql)
        try lexer.run()
        return lexer.output
    }

    private mutating func run() throws(Failure) {
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: "'"): try string(escapes: false)
            case UInt8(ascii: "\""): try quoted(byte, .identifier)
            case UInt8(ascii: "-") where peek(1) == UInt8(ascii: "-"): lineComment()
            case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"): try blockComment()
            case UInt8(ascii: "$"): try dollar()
            case UInt8(ascii: "%"): percent()
            case _ where byte.startsIdentifier: try word()
            case UInt8(ascii: "0")...UInt8(ascii: "9"): copy { $0.continuesIdentifier && $0 != UInt8(ascii: "$") }
            default: copy(1)
            }
        }
        if let firstDollarParameter, !output.names.isEmpty {
            throw Failure(reason: .parameter, offset: firstDollarParameter)
        }
        if output.names.contains(where: { $0 == nil }) && output.names.contains(where: { $0 != nil }) {
            throw Failure(reason: .mixture, offset: 0)
        }
        output.sql = String(decoding: bytes, as: UTF8.self)
    }

    // MARK: Moving

    private func peek(_ distance: Int = 0) -> UInt8? {
        position + distance < input.count ? input[position + distance] : nil
    }

    private mutating func copy(_ count: Int) {
        let end = min(position + count, input.count)
        bytes += input[position..<end]
        position = end
    }

    private mutating func copy(while isWanted: (UInt8) -> Bool) {
        while let byte = peek(), isWanted(byte) { copy(1) }
    }

    /// Copies one byte of a constant or an identifier, or the one percent sign that two stand for.
    private mutating func copyContent() {
        if peek() == UInt8(ascii: "%"), peek(1) == UInt8(ascii: "%") { position += 1 }
        copy(1)
    }

    // MARK: Placeholders

    private mutating func percent() {
        if peek(1) == UInt8(ascii: "%") { return copyContent() }
        if peek(1) == UInt8(ascii: "s"), !(peek(2)?.continuesIdentifier ?? false) { return placeholder(nil, length: 2) }
        if let (name, length) = namedPlaceholder() { return placeholder(name, length: length) }
        copy(1)
    }

    /// `%(name)s`; an opening parenthesis alone is what an operator may be followed by.
    private func namedPlaceholder() -> (String, Int)? {
        guard peek(1) == UInt8(ascii: "("), let first = peek(2), first.startsIdentifier else { return nil }
        var end = 3
        while let byte = peek(end), byte.continuesIdentifier { end += 1 }
        guard peek(end) == UInt8(ascii: ")"), peek(end + 1) == UInt8(ascii: "s"),
              !(peek(end + 2)?.continuesIdentifier ?? false)
        else { return nil }
        return (String(decoding: input[position + 2..<position + end], as: UTF8.self), end + 2)
    }

    private mutating func placeholder(_ name: String?, length: Int) {
        position += length
        output.offsets.append(bytes.count)
        output.names.append(name)
        bytes += "$\(output.names.count)".utf8
    }

    // MARK: What hides them

    /// A word; one that is `E` alone and touches a quote makes its string one with backslashes (4.1.2.2).
    private mutating func word() throws(Failure) {
        let start = position
        copy { $0.continuesIdentifier }
        let isEscape = position == start + 1 && (input[start] | 0x20) == UInt8(ascii: "e")
        if isEscape, peek() == UInt8(ascii: "'") { try string(escapes: true) }
    }

    private mutating func string(escapes: Bool) throws(Failure) {
        try quoted(UInt8(ascii: "'"), .string, escapes: escapes)
        // A string goes on behind a line break, in the form in which it began.
        while escapes, let distance = continuation() {
            copy(distance)
            try quoted(UInt8(ascii: "'"), .string, escapes: true)
        }
    }

    /// How far it is to the quote that continues a string: white space with a line break, and comments up to one.
    private func continuation() -> Int? {
        var distance = 0
        var hasLineBreak = false
        while let byte = peek(distance) {
            switch byte {
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"): hasLineBreak = true
            case UInt8(ascii: " "), UInt8(ascii: "\t"), 0x0C: break
            case UInt8(ascii: "-") where hasLineBreak && peek(distance + 1) == UInt8(ascii: "-"):
                while let next = peek(distance + 1), next != UInt8(ascii: "\n") { distance += 1 }
            case UInt8(ascii: "'"): return hasLineBreak ? distance : nil
            default: return nil
            }
            distance += 1
        }
        return nil
    }

    /// Up to the closing quote; a doubled one stands for itself, and is read as the beginning of the next part.
    private mutating func quoted(
        _ quote: UInt8, _ reason: Failure.Reason, escapes: Bool = false
    ) throws(Failure) {
        let start = position
        copy(1)
        while let byte = peek() {
            if escapes, byte == UInt8(ascii: "\\") {
                copy(2)
            } else if byte == quote {
                copy(1)
                guard peek() == quote else { return }
                copy(1)
            } else {
                copyContent()
            }
        }
        throw Failure(reason: reason, offset: start)
    }

    private mutating func lineComment() {
        copy { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
    }

    /// These nest (4.1.5).
    private mutating func blockComment() throws(Failure) {
        let start = position
        var depth = 0
        repeat {
            switch (peek(), peek(1)) {
            case (UInt8(ascii: "/"), UInt8(ascii: "*")):
                depth += 1
                copy(2)
            case (UInt8(ascii: "*"), UInt8(ascii: "/")):
                depth -= 1
                copy(2)
            case (nil, _): throw Failure(reason: .comment, offset: start)
            default: copy(1)
            }
        } while depth > 0
    }

    /// `$tag$ … $tag$`, or a parameter such as `$1`.
    private mutating func dollar() throws(Failure) {
        let start = position
        if let digit = peek(1), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) {
            firstDollarParameter = firstDollarParameter ?? start
            return copy(2)
        }
        var end = 1
        while let byte = peek(end), byte.continuesIdentifier, byte != UInt8(ascii: "$") { end += 1 }
        guard peek(end) == UInt8(ascii: "$") else { return copy(1) }
        let tag = input[start...start + end]
        copy(tag.count)
        while peek() != nil {
            if input[position...].starts(with: tag) { return copy(tag.count) }
            copyContent()
        }
        throw Failure(reason: .dollarQuote, offset: start)
    }
}

extension UInt8 {
    fileprivate var startsIdentifier: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"), 0x80...: true
        default: false
        }
    }

    fileprivate var continuesIdentifier: Bool {
        startsIdentifier || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) || self == UInt8(ascii: "$")
    }
}
