internal import FoundationEssentials
package import JSON
internal import Time

/// What the JSON of a resource says, as far as it has the form that FHIR gives it.
extension JSONValue {
    package subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    package var text: String? { if case .string(let text) = self { text } else { nil } }

    package var items: [JSONValue] { if case .array(let items) = self { items } else { [] } }

    /// The resource itself, or the one that an entry of a Bundle has.
    package var resource: JSONValue { self["resourceType"] == nil ? self["resource"] ?? .null : self }

    var digits: String? { if case .number(let digits) = self { digits } else { nil } }

    /// A whole number, also one that is written with zeros behind its point, as many systems do.
    var whole: Int? {
        guard let parts = digits?.split(separator: ".", omittingEmptySubsequences: false), let first = parts.first else { return nil }
        return parts.dropFirst().allSatisfy { $0.utf8.allSatisfy { $0 == UInt8(ascii: "0") } } ? Int(first) : nil
    }

    /// The code of a CodeableConcept in a system.
    func code(of system: String) -> String? {
        (self["coding"]?.items ?? []).lazy.filter { $0["system"]?.text == system }.compactMap { $0["code"]?.text }.first
    }

    /// What a CodeableConcept is called.
    var name: String? {
        ([self["text"]?.text] + (self["coding"]?.items ?? []).map { $0["display"]?.text }).lazy.compactMap(\.self)
            .first { $0.contains { !$0.isWhitespace } }
    }

    /// The UUID that a reference leads to, if that is how it leads there.
    var referencedID: UUID? {
        guard let reference = self["reference"]?.text else { return nil }
        let id = reference.hasPrefix("urn:uuid:") ? reference.dropFirst(9) : reference.split(separator: "/").last ?? ""
        return UUID(uuidString: String(id))
    }

    /// Of which type a reference says that what it leads to is; a `urn:uuid:` alone says nothing.
    var referencedType: String? {
        if let type = self["type"]?.text { return type.split(separator: "/").last.map { String($0) } }
        guard let parts = self["reference"]?.text?.split(separator: "/"), parts.count > 1 else { return nil }
        return String(parts[parts.count - 2])
    }
}

extension DateTime {
    /// A `dateTime` or `instant` with a time of day.
    init?(reading text: String?) {
        guard let text, let instant = Instant(rfc3339: text) else { return nil }
        let sign: Int? = text.utf8.dropLast(5).last.flatMap { $0 == UInt8(ascii: "+") ? 1 : $0 == UInt8(ascii: "-") ? -1 : nil }
        let digits = text.utf8.suffix(5).compactMap { (0x30...0x39).contains($0) ? Int($0 - 0x30) : nil }
        let minutes = digits.count == 4 ? (digits[0] * 10 + digits[1]) * 60 + digits[2] * 10 + digits[3] : 0
        self.init(instant, utcOffsetMinutes: (sign ?? 0) * minutes)
    }
}

extension CivilDate {
    /// The day of a `date` or `dateTime` that says one.
    init?(reading text: String?) {
        guard let text, let date = CivilDate(String(text.prefix(10))) else { return nil }
        self = date
    }

    /// The last day of a period that ends with a `dateTime`: all of a month or a year belongs to it, if no day is said (FHIR R4, Period).
    init?(readingEnd text: String?) {
        guard let text else { return nil }
        if let date = CivilDate(reading: text) {
            self = date
        } else if let first = CivilDate("\(text)-01") {
            self.init(year: first.year, month: first.month, day: CivilDate.days(inMonth: first.month, of: first.year))
        } else if let last = CivilDate("\(text)-12-31") {
            self = last
        } else {
            return nil
        }
    }
}
