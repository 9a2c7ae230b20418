/// Names and values that travel before a message or behind a status: lower-case names, several values under one name,
/// order kept. A name that ends in `-bin` holds bytes, any other printable ASCII.
///
/// Any name and value may be put in; `firstProblem` says why a call would refuse to send it.
package struct Metadata: Sendable, Hashable {
    package struct Field: Sendable, Hashable {
        package let name: String
        /// As it travels: base64 when the name ends in `-bin`.
        package let value: String
    }

    package private(set) var fields: [Field]

    package init() {
        fields = []
    }

    /// The first value under a name; setting replaces every value under it, setting `nil` removes them.
    package subscript(name: String) -> String? {
        get {
            let name = Metadata.normalised(name)
            return fields.first { $0.name == name }?.value
        }
        set {
            let name = Metadata.normalised(name)
            fields.removeAll { $0.name == name }
            if let newValue { fields.append(Field(name: name, value: newValue)) }
        }
    }

    /// Every value under a name, in the order of sending.
    package func values(for name: String) -> [String] {
        let name = Metadata.normalised(name)
        return fields.filter { $0.name == name }.map(\.value)
    }

    /// The first bytes under a name that ends in `-bin`; `nil` when there are none or they are not base64.
    package func binary(for name: String) -> [UInt8]? {
        guard name.hasSuffix(Metadata.binarySuffix), let value = self[name] else { return nil }
        // Several values under one name may have been joined by a comma on their way.
        let first = value.utf8.prefix { $0 != UInt8(ascii: ",") }
        return Base64.decode(first)
    }

    /// Adds a field whose name is known to be lower-case.
    mutating func append(_ name: String, _ value: String) {
        fields.append(Field(name: name, value: value))
    }

    package mutating func add(_ name: String, value: String) {
        fields.append(Field(name: Metadata.normalised(name), value: value))
    }

    /// Adds bytes under a name, which must end in `-bin`. On the wire they are base64 without padding.
    package mutating func add(_ name: String, binary bytes: [UInt8]) {
        precondition(name.hasSuffix(Metadata.binarySuffix), "metadata that holds bytes has a name that ends in -bin")
        add(name, value: Base64.encode(bytes))
    }

    package mutating func removeAll(_ name: String) {
        self[name] = nil
    }

    package mutating func append(contentsOf other: Metadata) {
        fields.append(contentsOf: other.fields)
    }

    package var isEmpty: Bool { fields.isEmpty }

    static let binarySuffix = "-bin"

    private static func normalised(_ name: String) -> String {
        let isLower = !name.utf8.contains { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") }
        return isLower ? name : name.lowercased()
    }
}

extension Metadata: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, String)...) {
        self.init()
        for (name, value) in elements { add(name, value: value) }
    }
}

extension Metadata: Sequence {
    package func makeIterator() -> IndexingIterator<[Field]> {
        fields.makeIterator()
    }
}

extension Metadata: CustomStringConvertible {
    /// The names alone: a value may be a token.
    package var description: String { "[\(fields.map(\.name).joined(separator: ", "))]" }
}
