internal import Application

/// Says in what was measured: a case-sensitive UCUM unit such as `mg/dL`, `mm[Hg]` or `/min`.
///
/// Its form is checked by UCUM's grammar (section 2.1 of the specification), not whether its atoms exist.
struct UCUMUnit: Hashable, Sendable {
    let text: String

    static let maxBytes = 64

    init(_ given: String) throws(InvalidValue) {
        guard !given.isEmpty else { throw InvalidValue("is needed") }
        guard given.utf8.count <= Self.maxBytes else { throw InvalidValue("has more than \(Self.maxBytes) bytes") }
        var grammar = UCUMGrammar(given.utf8)
        guard grammar.matchesUnit() else { throw InvalidValue("is not a UCUM unit such as mg/dL") }
        text = given
    }

    /// A unit that the table holds, or a constant of ours.
    init(stored: String) { text = stored }
}

/// Recognises the grammar of UCUM units. A term is components joined by `.` and `/`; a component is a symbol with an
/// exponent, a number, or a term in parentheses, each of which a `{comment}` may follow or replace.
private struct UCUMGrammar {
    private var rest: Substring.UTF8View
    /// How many parentheses are open; the length of a unit bounds it as well.
    private var depth = 0

    init(_ text: String.UTF8View) { rest = text[...] }

    mutating func matchesUnit() -> Bool {
        _ = take("/")
        return matchesTerm() && rest.isEmpty
    }

    private mutating func matchesTerm() -> Bool {
        guard matchesComponent() else { return false }
        while take(".") || take("/") {
            guard matchesComponent() else { return false }
        }
        return true
    }

    private mutating func matchesComponent() -> Bool {
        let isNested = take("(")
        if isNested {
            depth += 1
            guard depth <= 8, matchesTerm(), take(")") else { return false }
            depth -= 1
        }
        let hasUnit = isNested || takeSymbol()
        // A comment behind parentheses is not in the grammar, but in UCUM's own list of examples: "(8.h){shift}".
        let hasComment = rest.first == UInt8(ascii: "{")
        return (!hasComment || takeBracketed(by: "{", "}")) && (hasUnit || hasComment)
    }

    /// Letters and `[bracketed]` atoms with an exponent, or a number.
    private mutating func takeSymbol() -> Bool {
        let begin = rest.startIndex
        var endsWithDigits = false
        while let next = rest.first {
            if next == UInt8(ascii: "[") {
                guard takeBracketed(by: "[", "]") else { return false }
                endsWithDigits = false
            } else if next.isASCIIDigit {
                rest.removeFirst()
                endsWithDigits = true
            } else if next.isASCIILetterOrDigit || "%*^'\"_".utf8.contains(next) {
                rest.removeFirst()
                endsWithDigits = false
            } else if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") {
                // A sign belongs to an exponent: it follows a symbol, and a digit follows it, and nothing after those.
                guard rest.startIndex != begin, !endsWithDigits else { return false }
                rest.removeFirst()
                return takeDigits()
            } else {
                break
            }
        }
        return rest.startIndex != begin
    }

    private mutating func takeDigits() -> Bool {
        let begin = rest.startIndex
        rest = rest.drop(while: \.isASCIIDigit)
        return rest.startIndex != begin
    }

    private mutating func takeBracketed(by open: Unicode.Scalar, _ close: Unicode.Scalar) -> Bool {
        guard take(open) else { return false }
        let begin = rest.startIndex
        while let next = rest.first, next != UInt8(ascii: close) {
            guard (0x21...0x7E).contains(next), next != UInt8(ascii: open) else { return false }
            rest.removeFirst()
        }
        return rest.startIndex != begin && take(close)
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }
}
