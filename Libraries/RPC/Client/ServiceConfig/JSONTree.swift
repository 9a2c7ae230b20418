internal import FoundationEssentials

/// A JSON text as a tree, with the path of each value for those who have to say what is wrong with it.
struct JSONTree {
    indirect enum Value: Decodable {
        case null
        case bool(Bool)
        case number(Double)
        case text(String)
        case list([Value])
        case object([String: Value])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            // The decoder says by throwing that a value is of another kind; the last of them throws for good.
            if container.decodeNil() {
                self = .null
            } else if let value = try? container.decode(Bool.self) {
                self = .bool(value)
            } else if let value = try? container.decode(Double.self) {
                self = .number(value)
            } else if let value = try? container.decode(String.self) {
                self = .text(value)
            } else if let value = try? container.decode([Value].self) {
                self = .list(value)
            } else {
                self = .object(try container.decode([String: Value].self))
            }
        }
    }

    let path: String
    private let value: Value

    private init(path: String, value: Value) {
        self.path = path
        self.value = value
    }

    private static let maxTextBytes = 1 << 20

    init(_ text: String) throws(ServiceConfig.Problem) {
        path = "$"
        guard text.utf8.count <= JSONTree.maxTextBytes else {
            throw ServiceConfig.Problem(path: path, reason: "It is longer than \(JSONTree.maxTextBytes) bytes.")
        }
        do {
            value = try JSONDecoder().decode(Value.self, from: Data(text.utf8))
        } catch {
            throw ServiceConfig.Problem(path: path, reason: "It is not JSON.")
        }
    }

    func problem(_ reason: String) -> ServiceConfig.Problem { ServiceConfig.Problem(path: path, reason: reason) }

    /// The member of an object; `nil` when it is not there, or null.
    func member(_ name: String) throws(ServiceConfig.Problem) -> JSONTree? {
        guard case .object(let members) = value else { throw problem("An object is expected.") }
        guard let member = members[name] else { return nil }
        if case .null = member { return nil }
        return JSONTree(path: "\(path).\(name)", value: member)
    }

    func required(_ name: String) throws(ServiceConfig.Problem) -> JSONTree {
        guard let member = try member(name) else { throw problem("The member \(name) is missing.") }
        return member
    }

    /// The names and values of an object.
    func members() throws(ServiceConfig.Problem) -> [(name: String, value: JSONTree)] {
        guard case .object(let members) = value else { throw problem("An object is expected.") }
        return members.map { ($0.key, JSONTree(path: "\(path).\($0.key)", value: $0.value)) }
    }

    func items() throws(ServiceConfig.Problem) -> [JSONTree] {
        guard case .list(let items) = value else { throw problem("A list is expected.") }
        return items.enumerated().map { JSONTree(path: "\(path)[\($0.offset)]", value: $0.element) }
    }

    func text() throws(ServiceConfig.Problem) -> String {
        guard case .text(let text) = value else { throw problem("A string is expected.") }
        return text
    }

    func bool() throws(ServiceConfig.Problem) -> Bool {
        guard case .bool(let bool) = value else { throw problem("true or false is expected.") }
        return bool
    }

    func number() throws(ServiceConfig.Problem) -> Double {
        guard case .number(let number) = value else { throw problem("A number is expected.") }
        return number
    }

    /// A whole number, which protobuf's JSON may also write as a string.
    func integer(in range: ClosedRange<Int>) throws(ServiceConfig.Problem) -> Int {
        let found: Int? =
            switch value {
            case .number(let number): Int(exactly: number)
            case .text(let text): Int(text)
            default: nil
            }
        guard let found, range.contains(found) else {
            throw problem("A whole number from \(range.lowerBound) to \(range.upperBound) is expected.")
        }
        return found
    }

    /// The longest that protobuf's Duration can say.
    private static let maxSeconds = 315_576_000_000.0

    /// Protobuf's Duration: a decimal number of seconds with an `s` behind it.
    func duration() throws(ServiceConfig.Problem) -> Duration {
        let refusal = problem("A duration that is not negative, such as \"0.5s\", is expected.")
        guard case .text(let text) = value, text.last == "s" else { throw refusal }
        let digits = text.dropLast()
        let isDecimal = digits.utf8.allSatisfy { $0 == UInt8(ascii: ".") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        // gRFC A6 itself writes ".1s", which Double does not read.
        guard isDecimal, let seconds = Double("0" + digits), seconds <= JSONTree.maxSeconds else { throw refusal }
        return .seconds(seconds)
    }

    func positiveDuration() throws(ServiceConfig.Problem) -> Duration {
        let duration = try duration()
        guard duration > .zero else { throw problem("It must be more than nothing.") }
        return duration
    }
}
