package import JSON

/// Takes a file of FHIR apart into its entries, some bytes at a time: never more than one entry is held, however large the file is.
///
/// What is between the entries is read strictly. An entry is told from the next by its brackets and quotes alone, and by line ends in NDJSON;
/// `BundleEntry` reads it. Reading can go on behind any entry.
package struct EntryReader: Sendable {
    package enum Form: String, Hashable, Sendable, CaseIterable {
        /// A Bundle.
        case bundle
        /// A resource a line.
        case lines
    }

    /// Behind an entry: how many came, and at which byte of the file.
    package struct Place: Hashable, Sendable {
        package var entry: Int64
        package var byte: Int64

        package init(entry: Int64 = 0, byte: Int64 = 0) {
            self.entry = entry
            self.byte = byte
        }
    }

    /// One entry, unread.
    package struct Piece: Hashable, Sendable {
        package let form: Form
        /// From 0.
        package let number: Int64
        package let firstByte: Int64
        package let content: [UInt8]
        /// Where reading goes on.
        package let end: Place
    }

    package static let mostEntries: Int64 = 1_000_000
    /// Of an entry, and of any other member of a Bundle.
    package static let mostBytes = 8 << 20
    package static let mostLevels = 64

    private enum State {
        /// At the Bundle's first byte, or before it.
        case start
        /// Before the name of a member; the first may be missing.
        case name(isFirst: Bool)
        case colon(String)
        case value(String)
        case behindValue
        /// Before an entry; the first may be missing.
        case entry(isFirst: Bool)
        case behindEntry
        /// Before a line.
        case line
        case end
    }

    private let form: Form
    private var state: State
    private var place: Place
    /// How many bytes were read.
    private var position: Int64
    /// What is collected: its bytes so far, where it begins, and how far its brackets and quotes have come.
    private var held: [UInt8] = []
    private var heldFrom: Int64 = 0
    private var value: ValueScanner?
    private var names: Set<String> = []
    private var texts: [String: String] = [:]
    private let isWhole: Bool

    /// - Parameter place: what a piece gave as its end; `nil` for the file's first byte.
    package init(_ form: Form, behind place: Place? = nil) {
        self.form = form
        self.place = place ?? Place()
        position = self.place.byte
        isWhole = self.place == Place()
        state =
            switch form {
            case .bundle: isWhole ? .start : .behindEntry
            case .lines: .line
            }
    }

    /// The next entry that ends within these bytes, which are taken as far as they were read; `nil` when all were.
    ///
    /// Throws, with the byte of the file, for what is no JSON or no Bundle.
    package mutating func next(in bytes: inout ArraySlice<UInt8>) throws(JSONSyntaxError) -> Piece? {
        while let byte = bytes.first {
            if value != nil {
                guard let content = try collect(&bytes) else { return nil }
                if let piece = try ended(content) { return piece }
                continue
            }
            if form == .lines, case .line = state, byte != 0x0A, !Self.isSpace(byte) {
                begin(.line)
                continue
            }
            guard !Self.isSpace(byte) else {
                skip(&bytes)
                continue
            }
            try take(byte, &bytes)
        }
        return nil
    }

    /// Whatever is at the end of the file without a line's end. Throws if the file ends too early, or is no Bundle of a type that is taken.
    package mutating func finish() throws(JSONSyntaxError) -> Piece? {
        if form == .lines {
            guard value != nil else { return nil }
            return try ended(endHeld())
        }
        guard case .end = state else { throw failure("The file ends too early") }
        guard isWhole else { return nil }
        guard texts["resourceType"] == "Bundle" else { throw JSONSyntaxError("The file is no Bundle of FHIR", at: nil) }
        guard let type = texts["type"], Self.types.contains(type) else {
            throw JSONSyntaxError("The type of the Bundle is none of \(Self.types.joined(separator: ", "))", at: nil)
        }
        return nil
    }

    /// What a Bundle says that it is, once it was read from its first byte to its last.
    package var bundleType: String? { texts["type"] }

    private static let types = ["collection", "transaction", "batch", "document", "searchset", "history"]

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }

    private func failure(_ reason: String) -> JSONSyntaxError { JSONSyntaxError(reason, at: Int(position)) }

    private mutating func skip(_ bytes: inout ArraySlice<UInt8>) {
        bytes = bytes.dropFirst()
        position += 1
    }

    private mutating func begin(_ kind: ValueScanner.Kind) {
        value = ValueScanner(kind)
        held.removeAll(keepingCapacity: held.capacity <= 1 << 20)
        heldFrom = position
    }

    private mutating func endHeld() -> [UInt8] {
        value = nil
        let content = held
        held = []
        return content
    }

    /// The whole of what is collected, once it has ended.
    private mutating func collect(_ bytes: inout ArraySlice<UInt8>) throws(JSONSyntaxError) -> [UInt8]? {
        guard var scanner = value else { return nil }
        let (end, hasEnded) = scanner.scan(bytes)
        value = scanner
        held += bytes[bytes.startIndex..<end]
        position += Int64(end - bytes.startIndex)
        bytes = bytes[end...]
        guard held.count <= Self.mostBytes else { throw failure("An entry has more than \(Self.mostBytes) bytes") }
        guard scanner.levels <= Self.mostLevels else { throw failure("The file nests deeper than \(Self.mostLevels) levels") }
        return hasEnded ? endHeld() : nil
    }

    /// Between values.
    private mutating func take(_ byte: UInt8, _ bytes: inout ArraySlice<UInt8>) throws(JSONSyntaxError) {
        switch (state, Unicode.Scalar(byte)) {
        case (.start, "{"): state = .name(isFirst: true)
        case (.start, _): throw failure("The file does not begin with the { of a Bundle")
        case (.name(isFirst: true), "}"), (.behindValue, "}"): state = .end
        case (.name, "\""): return begin(.value)
        case (.name, _): throw failure("A member's name is missing")
        case (.colon(let name), ":"): state = .value(name)
        case (.colon, _): throw failure("A colon is missing")
        case (.value("entry"), "["): state = .entry(isFirst: true)
        case (.value("entry"), _): throw failure("The entries of a Bundle are a list")
        case (.value, _): return begin(.value)
        case (.behindValue, ","): state = .name(isFirst: false)
        case (.behindValue, _): throw failure("A comma or } is missing")
        case (.entry(isFirst: true), "]"), (.behindEntry, "]"): state = .behindValue
        case (.entry, "{"): return begin(.value)
        case (.entry, _): throw failure("An entry of a Bundle is an object")
        case (.behindEntry, ","): state = .entry(isFirst: false)
        case (.behindEntry, _): throw failure("A comma or ] is missing")
        case (.end, _): throw failure("There is more behind the Bundle")
        case (.line, _): break
        }
        skip(&bytes)
    }

    /// What was collected is a name, a value, or an entry.
    private mutating func ended(_ content: [UInt8]) throws(JSONSyntaxError) -> Piece? {
        switch state {
        case .name:
            guard case .string(let name) = try Self.parsed(content, at: heldFrom) else { throw failure("A member's name is missing") }
            guard names.insert(name).inserted, names.count <= 100 else { throw failure("A member is there twice, or there are too many") }
            state = .colon(name)
            return nil
        case .value(let name):
            if case .string(let text) = try Self.parsed(content, at: heldFrom), name == "resourceType" || name == "type" { texts[name] = text }
            state = .behindValue
            return nil
        default:
            guard place.entry < Self.mostEntries else { throw failure("There are more than \(Self.mostEntries) entries") }
            let number = place.entry
            place = Place(entry: number + 1, byte: position)
            state = form == .lines ? .line : .behindEntry
            return Piece(form: form, number: number, firstByte: heldFrom, content: content, end: place)
        }
    }

    /// With places that are those of the file.
    static func parsed(_ content: [UInt8], at firstByte: Int64) throws(JSONSyntaxError) -> JSONValue {
        do throws(JSONSyntaxError) {
            return try JSONParser.parse(content)
        } catch {
            throw JSONSyntaxError(error.reason, at: Int(firstByte) + (error.position ?? 0))
        }
    }
}

/// Finds where a JSON value ends, by its brackets and quotes alone; or a line, which ends before the next begins.
private struct ValueScanner: Sendable {
    enum Kind { case value, line }

    private let kind: Kind
    private var depth = 0
    private var isInText = false
    private var isEscaped = false
    private var isBegun = false
    /// How deep it came.
    private(set) var levels = 0

    init(_ kind: Kind) { self.kind = kind }

    /// The first byte behind what belongs to it, and whether it has ended there.
    mutating func scan(_ bytes: ArraySlice<UInt8>) -> (end: Int, hasEnded: Bool) {
        var index = bytes.startIndex
        let last = bytes.endIndex
        while index < last {
            let byte = bytes[index]
            if kind == .line, byte == 0x0A { return (index, true) }
            if isInText {
                if isEscaped { isEscaped = false } else if byte == 0x5C { isEscaped = true } else if byte == 0x22 { isInText = false }
                index += 1
                if !isInText, depth == 0, kind == .value { return (index, true) }
                continue
            }
            switch byte {
            case 0x22: isInText = true
            case 0x7B, 0x5B:
                depth += 1
                levels = max(levels, depth)
                if depth > EntryReader.mostLevels { return (index, false) }
            case 0x7D, 0x5D:
                // The end of what the value stands in, behind a number or a word.
                if depth == 0, kind == .value { return (index, true) }
                depth = max(0, depth - 1)
                if depth == 0, kind == .value { return (index + 1, true) }
            case 0x2C, 0x20, 0x09, 0x0A, 0x0D:
                if depth == 0, isBegun, kind == .value { return (index, true) }
            default: break
            }
            isBegun = true
            index += 1
        }
        return (index, false)
    }
}
