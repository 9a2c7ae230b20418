internal import Configuration
internal import FoundationEssentials

/// The settings of a program, read once from its environment.
///
/// Every reading method notes what is missing or cannot be used and returns a placeholder, so that `finish()` can
/// report all of it in one error; nothing read before `finish()` has returned may be used.
package struct Settings {
    private let reader: ConfigReader
    private var problems: [String] = []

    /// Settings from the given variables: `.process`, or a test's own.
    package init(environment: [String: String]) {
        reader = ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: environment))
    }

    /// The value of a variable, or nil when it is absent or empty.
    package func optional(_ variable: String) -> String? {
        let key = ConfigKey(variable.lowercased().split(separator: "_").map(String.init))
        guard let value = reader.string(forKey: key), !value.isEmpty else { return nil }
        return value
    }

    /// The value of a variable that must be set, unless there is a default.
    package mutating func string(_ variable: String, default fallback: String? = nil) -> String {
        if let value = optional(variable) ?? fallback { return value }
        problems.append("\(variable) is not set.")
        return ""
    }

    /// A whole number within a range.
    package mutating func int(_ variable: String, default fallback: Int? = nil, in range: ClosedRange<Int>) -> Int {
        guard let text = optional(variable) else {
            if let fallback { return fallback }
            problems.append("\(variable) is not set.")
            return range.lowerBound
        }
        guard let value = Int(text), range.contains(value) else {
            problems.append("\(variable) is not a whole number from \(range.lowerBound) to \(range.upperBound).")
            return range.lowerBound
        }
        return value
    }

    /// A port that can be listened on or connected to; 0 lets the system choose where `allowsAny` says so.
    package mutating func port(_ variable: String, default fallback: Int? = nil, allowsAny: Bool = false) -> Int {
        int(variable, default: fallback, in: (allowsAny ? 0 : 1)...65_535)
    }

    /// The contents of the file that a variable names, without the line end that editors add. Secrets come this way.
    package mutating func contents(ofFile variable: String) -> String {
        let path = string(variable)
        guard !path.isEmpty else { return "" }
        do {
            let text = try String(contentsOf: URL(filePath: path), encoding: .utf8)
            let trimmed = text.hasSuffix("\n") ? String(text.dropLast()) : text
            if trimmed.isEmpty { problems.append("\(variable) names the file \(path), which is empty.") }
            return trimmed
        } catch {
            problems.append("\(variable) names the file \(path), which cannot be read.")
            return ""
        }
    }

    /// The path of a file for who reads it by itself, such as an authority's certificate; nil when the variable is absent or empty.
    package mutating func path(ofFile variable: String) -> String? {
        guard let path = optional(variable) else { return nil }
        _ = contents(ofFile: variable)
        return path
    }

    /// An address of the form `host:port`; an IPv6 address may stand in brackets, as in a URL.
    package mutating func address(_ variable: String) -> (host: String, port: Int) {
        let text = string(variable)
        guard !text.isEmpty else { return ("", 0) }
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (1...65_535).contains(port), let host = Self.unbracketed(text[..<colon])
        else {
            problems.append("\(variable) is not of the form host:port.")
            return ("", 0)
        }
        return (host, port)
    }

    /// A host without the brackets that it may stand in; nil for none, for half of a pair, and for the rest of an IPv6 address whose last
    /// group was taken for a port.
    private static func unbracketed(_ host: Substring) -> String? {
        guard host.hasPrefix("[") || host.hasSuffix("]") else {
            return host.isEmpty || host.hasSuffix(":") && !host.hasSuffix("::") ? nil : String(host)
        }
        guard host.count > 2, host.hasPrefix("["), host.hasSuffix("]") else { return nil }
        return String(host.dropFirst().dropLast())
    }

    /// Hosts of a list parted by commas, each as `host` or `host:port`, an IPv6 address in brackets; nil when the variable is
    /// absent or empty.
    package mutating func hosts(_ variable: String, defaultPort: Int) -> [(host: String, port: Int)]? {
        guard let text = optional(variable) else { return nil }
        let hosts = text.split(separator: ",", omittingEmptySubsequences: false).map { Self.host($0, defaultPort) }
        let known = hosts.compactMap { $0 }
        guard known.count == hosts.count, known.count <= 16 else {
            problems.append("\(variable) is not a list of 1 to 16 hosts, parted by commas, each of the form host or host:port.")
            return []
        }
        return known
    }

    private static func host(_ text: Substring, _ defaultPort: Int) -> (host: String, port: Int)? {
        let text = text.trimmingPrefix { $0 == " " }
        let isBracketed = text.hasPrefix("[")
        let parts = isBracketed ? text.dropFirst().split(separator: "]", maxSplits: 1, omittingEmptySubsequences: false)
            : text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let host = parts.first, !host.isEmpty, !host.contains(where: \.isWhitespace) else { return nil }
        guard parts.count == 2 else { return isBracketed ? nil : (String(host), defaultPort) }
        if isBracketed, parts[1].isEmpty { return (String(host), defaultPort) }
        let digits = isBracketed ? parts[1].trimmingPrefix(":") : parts[1]
        guard !isBracketed || parts[1].hasPrefix(":"), let port = Int(digits), (1...65_535).contains(port) else { return nil }
        return (String(host), port)
    }

    /// Adds a problem that only the reader of a setting can see.
    package mutating func report(_ problem: String) { problems.append(problem) }

    /// Throws one error that lists every problem found.
    package func finish() throws(SettingsError) {
        guard problems.isEmpty else { throw SettingsError(problems: problems) }
    }
}

extension [String: String] {
    /// The environment variables that this process was started with.
    package static var process: [String: String] { ProcessInfo.processInfo.environment }
}
