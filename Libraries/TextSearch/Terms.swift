internal import Foundation

/// The terms that a text is found by.
///
/// - A term is a run of letters and digits of any script, without its case ("STEMI" is "stemi"), without accents in Latin,
///   Greek and Cyrillic ("Ménière" is "meniere"), and in its compatible form ("H₂O" is "h2o").
/// - Runs that one of `. - / ' : , _ +` joins are terms one by one and together: "I21.4" is "i21.4", "i21" and "4", and
///   "ST-elevation" is found by "elevation" as well. A joined term is told from its parts by the sign that joins it.
/// - Each ideograph and each kana is a term, since no space parts their words.
/// - Nothing is left out for being frequent, and no ending is cut off: "blockers" is not "blocker".
/// - What is longer than 100 bytes is no term; the parts of a joined one still are.
package enum Terms {
    package static let maxBytes = 100

    /// In the order of the text, each as often as it occurs. Costs time in proportion to the text.
    package static func of(_ text: String) -> [String] {
        var reader = Reader()
        if text.utf8.allSatisfy({ $0 < 0x80 }) {
            for byte in text.utf8 { reader.read(ascii: byte) }
        } else {
            for scalar in text.lowercased().decomposedStringWithCompatibilityMapping.unicodeScalars { reader.read(scalar) }
        }
        reader.endWord()
        return reader.terms
    }

    /// What has been read of the text: whole terms, and the beginning of one.
    private struct Reader {
        var terms: [String] = []
        /// The joined runs so far, with the signs between them and perhaps one at the end.
        private var word: [UInt8] = []
        /// Where each of its runs ends.
        private var runEnds: [Int] = []
        /// Where its last run begins.
        private var runStart = 0

        mutating func read(ascii byte: UInt8) {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): word.append(byte)
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): word.append(byte | 0x20)
            case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "/"), UInt8(ascii: "'"), UInt8(ascii: ":"),
                UInt8(ascii: ","), UInt8(ascii: "_"), UInt8(ascii: "+"):
                join(with: byte)
            default: endWord()
            }
        }

        mutating func read(_ scalar: Unicode.Scalar) {
            switch scalar.value {
            case 0..<0x80: read(ascii: UInt8(scalar.value))
            // Accents, which the canonical form writes behind their letter.
            case 0x300...0x36F: break
            // Hyphens and the minus sign; apostrophes. What prints the same is the same.
            case 0x2010...0x2013, 0x2212: join(with: UInt8(ascii: "-"))
            case 0x2018, 0x2019, 0x2BC: join(with: UInt8(ascii: "'"))
            // A sigma is written otherwise at the end of a word.
            case 0x3C2: append("σ")
            default:
                if scalar.isTermByItself {
                    endWord()
                    append(scalar)
                    endWord()
                } else if scalar.isPartOfWords {
                    append(scalar)
                } else if !scalar.properties.isDefaultIgnorableCodePoint {
                    // What is not shown, such as a soft hyphen, parts nothing.
                    endWord()
                }
            }
        }

        private mutating func append(_ scalar: Unicode.Scalar) { word.append(contentsOf: UTF8.encode(scalar) ?? .init()) }

        /// A sign joins two runs if one is right before it; whether one follows is seen later.
        private mutating func join(with sign: UInt8) {
            guard word.count > runStart else { return endWord() }
            runEnds.append(word.count)
            word.append(sign)
            runStart = word.count
        }

        mutating func endWord() {
            if word.count > runStart {
                runEnds.append(word.count)
            }
            if let end = runEnds.last {
                if runEnds.count > 1 { keep(word[..<end]) }
                var start = 0
                for runEnd in runEnds {
                    keep(word[start..<runEnd])
                    start = runEnd + 1
                }
            }
            word.removeAll(keepingCapacity: true)
            runEnds.removeAll(keepingCapacity: true)
            runStart = 0
        }

        private mutating func keep(_ bytes: ArraySlice<UInt8>) {
            if bytes.count <= Terms.maxBytes { terms.append(String(decoding: bytes, as: UTF8.self)) }
        }
    }
}

extension Unicode.Scalar {
    fileprivate var isTermByItself: Bool {
        properties.isIdeographic || (0x3041...0x30FF).contains(value) && properties.isAlphabetic
    }

    fileprivate var isPartOfWords: Bool {
        if properties.isDefaultIgnorableCodePoint { return false }
        if properties.isAlphabetic { return true }
        return switch properties.generalCategory {
        case .decimalNumber, .letterNumber, .otherNumber, .nonspacingMark, .spacingMark: true
        default: false
        }
    }
}
